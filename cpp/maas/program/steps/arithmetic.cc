#include <cmath>
#include <cstring>
#include <type_traits>

#include "maas/program/steps/binary_loop.h"
#include "maas/program/steps/families.h"

namespace maas {

namespace {

// Integers wrap around, as two's complement does.
template <class T>
using Wrapping =
    typename std::conditional_t<std::is_integral_v<T>, std::make_unsigned<T>, std::type_identity<T>>::type;

struct AddOp {
  static constexpr MapOp kMap = MapOp::kAdd;
  template <class T>
  static T apply(T a, T b, bool&) {
    return canonical(static_cast<T>(static_cast<Wrapping<T>>(a) + static_cast<Wrapping<T>>(b)));
  }
};
struct SubOp {
  static constexpr MapOp kMap = MapOp::kSubtract;
  template <class T>
  static T apply(T a, T b, bool&) {
    return canonical(static_cast<T>(static_cast<Wrapping<T>>(a) - static_cast<Wrapping<T>>(b)));
  }
};
struct MulOp {
  static constexpr MapOp kMap = MapOp::kMultiply;
  template <class T>
  static T apply(T a, T b, bool&) {
    return canonical(static_cast<T>(static_cast<Wrapping<T>>(a) * static_cast<Wrapping<T>>(b)));
  }
};

// Integers: towards zero; the one overflow, of the lowest value by -1, wraps around to itself.
struct DivOp {
  static constexpr MapOp kMap = MapOp::kDivide;
  template <class T>
  static T apply(T a, T b, bool& ok) {
    if constexpr (std::is_integral_v<T>) {
      ok &= b != 0;
      if (b == 0) return 0;
      return b == -1 ? static_cast<T>(0 - static_cast<Wrapping<T>>(a)) : static_cast<T>(a / b);
    } else {
      return canonical(a / b);
    }
  }
};

// Sign of the divisor, as Python's %.
struct FloorModOp {
  template <class T>
  static T apply(T a, T b, bool& ok) {
    ok &= b != 0;
    if (b == 0 || b == -1) return 0;
    const T rest = static_cast<T>(a % b);
    return rest != 0 && (rest < 0) != (b < 0) ? static_cast<T>(rest + b) : rest;
  }
};

// Sign of the dividend, as C's fmod, which is exact.
struct TruncatedModOp {
  template <class T>
  static T apply(T a, T b, bool& ok) {
    if constexpr (std::is_integral_v<T>) {
      ok &= b != 0;
      return b == 0 || b == -1 ? T(0) : static_cast<T>(a % b);
    } else {
      return canonical(std::fmod(a, b));
    }
  }
};

// NaN wins; of two zeros the second, as kernels/elementwise.h has it.
struct MaxOp {
  static constexpr MapOp kMap = MapOp::kMax;
  template <class T>
  static T apply(T a, T b, bool&) {
    return canonical(a != a || a > b ? a : b);
  }
};
struct MinOp {
  static constexpr MapOp kMap = MapOp::kMin;
  template <class T>
  static T apply(T a, T b, bool&) {
    return canonical(a != a || a < b ? a : b);
  }
};

template <class Op>
BinaryCall arithmetic_call(const Operand& a, const Operand& b, const Operand& out) {
  BinaryCall call(a, b, out);
  if constexpr (requires { Op::kMap; }) call.use_map(Op::kMap, out.dtype());
  call.loop = with_numbers(out.dtype(), [&]<class T>() -> BinaryLoop {
    if constexpr (std::is_same_v<T, uint8_t>) {
      return nullptr;  // check_graph lets no bool through
    } else {
      return pick_binary_loop<Op, T>(call.plan);
    }
  });
  return call;
}

template <class Op>
std::unique_ptr<Step> make_binary(StepSpec& spec) {
  return std::make_unique<BinaryStep>(spec,
                                      arithmetic_call<Op>(spec.inputs[0], spec.inputs[1], spec.outputs[0]));
}

template <class Op>
BinaryLoop integer_loop(DType dtype, const BroadcastPlan<2>& plan) {
  return dtype == DType::kInt64 ? pick_binary_loop<Op, int64_t>(plan) : pick_binary_loop<Op, int32_t>(plan);
}

std::unique_ptr<Step> make_mod(StepSpec& spec) {
  if (spec.view.get_int("fmod", 0) != 0) return make_binary<TruncatedModOp>(spec);
  if (is_float(spec.outputs[0].dtype())) spec.view.unsupported("floating-point values without fmod=1");
  BinaryCall call(spec.inputs[0], spec.inputs[1], spec.outputs[0]);
  call.loop = integer_loop<FloorModOp>(spec.outputs[0].dtype(), call.plan);
  return std::make_unique<BinaryStep>(spec, call);
}

// Any number of operands, taken together from left to right in the output; a divisor at the end for Mean.
class FoldStep final : public NodeStep {
 public:
  FoldStep(const StepSpec& spec, std::vector<BinaryCall> calls, double divisor)
      : NodeStep(spec),
        calls_(std::move(calls)),
        divisor_(divisor),
        count_(spec.outputs[0]),
        dtype_(spec.outputs[0].dtype()),
        from_(spec.inputs[0].slot),
        to_(spec.outputs[0].slot) {}

  RunStatus run(const Block& block) const noexcept override {
    const size_t count = count_(block.rows);
    if (calls_.empty()) std::memcpy(block.slots[to_], block.slots[from_], count * item_size(dtype_));
    for (const BinaryCall& call : calls_) call.run(block);
    if (divisor_ != 1) dtype_ == DType::kFloat32 ? divide<float>(block, count) : divide<double>(block, count);
    return RunStatus::kOk;
  }

 private:
  template <class T>
  void divide(const Block& block, size_t count) const noexcept {
    T* out = block.out<T>(to_);
    for (size_t i = 0; i < count; ++i) out[i] /= static_cast<T>(divisor_);
  }

  std::vector<BinaryCall> calls_;
  double divisor_;
  ItemCount count_;
  DType dtype_;
  size_t from_, to_;
};

template <class Op, bool kMean = false>
std::unique_ptr<Step> make_fold(StepSpec& spec) {
  const Operand& out = spec.outputs[0];
  std::vector<BinaryCall> calls;
  for (size_t i = 1; i < spec.inputs.size(); ++i) {
    calls.push_back(arithmetic_call<Op>(i == 1 ? spec.inputs[0] : out, spec.inputs[i], out));
  }
  if (calls.size() == 1 && !kMean) return std::make_unique<BinaryStep>(spec, calls[0]);
  return std::make_unique<FoldStep>(spec, std::move(calls),
                                    kMean ? static_cast<double>(spec.inputs.size()) : 1.0);
}

constexpr StepEntry kEntries[] = {
    {"Add", "", make_binary<AddOp>}, {"Sub", "", make_binary<SubOp>}, {"Mul", "", make_binary<MulOp>},
    {"Div", "", make_binary<DivOp>}, {"Mod", "", make_mod},           {"Max", "", make_fold<MaxOp>},
    {"Min", "", make_fold<MinOp>},   {"Sum", "", make_fold<AddOp>},   {"Mean", "", make_fold<AddOp, true>},
};

}  // namespace

std::span<const StepEntry> arithmetic_steps() { return kEntries; }

}  // namespace maas
