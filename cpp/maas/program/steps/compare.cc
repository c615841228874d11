#include <cmath>
#include <functional>
#include <limits>
#include <string_view>

#include "maas/program/steps/binary_loop.h"
#include "maas/program/steps/families.h"

namespace maas {

namespace {

struct EqualOp {
  template <class T>
  static uint8_t apply(const T& a, const T& b, bool&) {
    return a == b;
  }
};
struct LessOp {
  template <class T>
  static uint8_t apply(T a, T b, bool&) {
    return a < b;
  }
};
struct LessOrEqualOp {
  template <class T>
  static uint8_t apply(T a, T b, bool&) {
    return a <= b;
  }
};
struct GreaterOp {
  template <class T>
  static uint8_t apply(T a, T b, bool&) {
    return a > b;
  }
};
struct GreaterOrEqualOp {
  template <class T>
  static uint8_t apply(T a, T b, bool&) {
    return a >= b;
  }
};
struct AndOp {
  static uint8_t apply(uint8_t a, uint8_t b, bool&) { return a & b; }
};
struct OrOp {
  static uint8_t apply(uint8_t a, uint8_t b, bool&) { return a | b; }
};
struct XorOp {
  static uint8_t apply(uint8_t a, uint8_t b, bool&) { return a ^ b; }
};

template <class Op>
std::unique_ptr<Step> make_compare(StepSpec& spec) {
  BinaryCall call(spec.inputs[0], spec.inputs[1], spec.outputs[0]);
  const DType dtype = spec.inputs[0].dtype();
  if constexpr (std::is_same_v<Op, EqualOp>) {
    if (dtype == DType::kString) {
      call.loop = pick_binary_loop<Op, std::string_view, uint8_t>(call.plan);
      return std::make_unique<BinaryStep>(spec, call);
    }
  }
  call.loop = with_numbers(dtype, [&]<class T>() { return pick_binary_loop<Op, T, uint8_t>(call.plan); });
  return std::make_unique<BinaryStep>(spec, call);
}

template <class Op>
std::unique_ptr<Step> make_logic(StepSpec& spec) {
  BinaryCall call(spec.inputs[0], spec.inputs[1], spec.outputs[0]);
  call.loop = pick_binary_loop<Op, uint8_t>(call.plan);
  return std::make_unique<BinaryStep>(spec, call);
}

using WhereLoop = void (*)(const std::array<const std::byte*, 3>& from, std::byte* to, size_t outer,
                           size_t inner, const std::array<ptrdiff_t, 3>& steps);

template <class T, Along kC, Along kA, Along kB>
void where_loop(const std::array<const std::byte*, 3>& from, std::byte* to, size_t outer, size_t inner,
                const std::array<ptrdiff_t, 3>& steps) {
  T* out = reinterpret_cast<T*>(to);
  for (size_t i = 0; i < outer; ++i, out += inner) {
    const auto offset = static_cast<ptrdiff_t>(i);
    const auto* c = reinterpret_cast<const uint8_t*>(from[0] + offset * steps[0]);
    const T* a = reinterpret_cast<const T*>(from[1] + offset * steps[1]);
    const T* b = reinterpret_cast<const T*>(from[2] + offset * steps[2]);
    const uint8_t first_c = *c;
    const T first_a = *a, first_b = *b;
    MAAS_INDEPENDENT
    for (size_t j = 0; j < inner; ++j) {
      const T x = kA == Along::kOne ? first_a : a[j];
      const T y = kB == Along::kOne ? first_b : b[j];
      out[j] = (kC == Along::kOne ? first_c : c[j]) != 0 ? x : y;
    }
  }
}

template <class T, Along... kChosen>
WhereLoop pick_where_loop(const BroadcastPlan<3>& plan) {
  if constexpr (sizeof...(kChosen) == 3) {
    return where_loop<T, kChosen...>;
  } else {
    return plan.along(sizeof...(kChosen)) == Along::kOne
               ? pick_where_loop<T, kChosen..., Along::kOne>(plan)
               : pick_where_loop<T, kChosen..., Along::kItems>(plan);
  }
}

class WhereStep final : public NodeStep {
 public:
  explicit WhereStep(const StepSpec& spec)
      : NodeStep(spec),
        plan_(spec.outputs[0], {&spec.inputs[0], &spec.inputs[1], &spec.inputs[2]}),
        slots_{spec.inputs[0].slot, spec.inputs[1].slot, spec.inputs[2].slot},
        out_(spec.outputs[0].slot) {
    loop_ = with_items(spec.outputs[0].dtype(), [&]<class T>() { return pick_where_loop<T>(plan_); });
  }
  RunStatus run(const Block& block) const noexcept override {
    plan_.run(
        {block.in<std::byte>(slots_[0]), block.in<std::byte>(slots_[1]), block.in<std::byte>(slots_[2])},
        block.out<std::byte>(out_), block.rows, loop_);
    return RunStatus::kOk;
  }

 private:
  BroadcastPlan<3> plan_;
  WhereLoop loop_ = nullptr;
  std::array<size_t, 3> slots_;
  size_t out_;
};

std::unique_ptr<Step> make_where(StepSpec& spec) { return std::make_unique<WhereStep>(spec); }

constexpr StepEntry kEntries[] = {
    {"Equal", "", make_compare<EqualOp>},
    {"Less", "", make_compare<LessOp>},
    {"LessOrEqual", "", make_compare<LessOrEqualOp>},
    {"Greater", "", make_compare<GreaterOp>},
    {"GreaterOrEqual", "", make_compare<GreaterOrEqualOp>},
    {"And", "", make_logic<AndOp>},
    {"Or", "", make_logic<OrOp>},
    {"Xor", "", make_logic<XorOp>},
    {"Where", "", make_where},
};

}  // namespace

std::span<const StepEntry> compare_steps() { return kEntries; }

}  // namespace maas
