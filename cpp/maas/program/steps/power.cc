#include <algorithm>
#include <type_traits>

#include "maas/kernels/cast.h"
#include "maas/kernels/elementwise.h"
#include "maas/program/steps/binary_loop.h"
#include "maas/program/steps/families.h"
#include "maas/program/steps/map_step.h"

namespace maas {

namespace {

// Integers to integer powers, wrapping around. Negative powers are truncated fractions.
struct IntegerPower {
  template <class T>
  static T apply(T base, int64_t exponent, bool& ok) {
    using Bits = std::make_unsigned_t<T>;
    if (exponent < 0) {
      ok &= base != 0;
      return base == 1 ? T(1) : base == -1 ? T(exponent % 2 == 0 ? 1 : -1) : T(0);
    }
    Bits result = 1, square = static_cast<Bits>(base);
    for (auto left = static_cast<uint64_t>(exponent); left > 0; left >>= 1, square *= square) {
      if ((left & 1) != 0) result *= square;
    }
    return static_cast<T>(result);
  }
};

using Steps = std::array<ptrdiff_t, 2>;

template <class Base, class Exponent>
bool integer_power_loop(const std::array<const std::byte*, 2>& from, std::byte* to, size_t outer,
                        size_t inner, const Steps& steps, Steps strides) {
  Base* out = reinterpret_cast<Base*>(to);
  bool ok = true;
  for (size_t i = 0; i < outer; ++i) {
    const std::byte* a = from[0] + static_cast<ptrdiff_t>(i) * steps[0];
    const std::byte* b = from[1] + static_cast<ptrdiff_t>(i) * steps[1];
    for (size_t j = 0; j < inner; ++j, a += strides[0], b += strides[1]) {
      *out++ = IntegerPower::apply(*reinterpret_cast<const Base*>(a),
                                   int64_t{*reinterpret_cast<const Exponent*>(b)}, ok);
    }
  }
  return ok;
}

// By the kernel, in pieces of one type; an integer base is cut off after the power.
template <class Base, class Exponent, class Work>
bool float_power_loop(const std::array<const std::byte*, 2>& from, std::byte* to, size_t outer, size_t inner,
                      const Steps& steps, Steps strides) {
  constexpr size_t kPiece = 64;
  const MapFn<Work> power = find_map<Work>(MapOp::kPow);
  Base* out = reinterpret_cast<Base*>(to);
  Work bases[kPiece], exponents[kPiece];
  for (size_t i = 0; i < outer; ++i) {
    const std::byte* a = from[0] + static_cast<ptrdiff_t>(i) * steps[0];
    const std::byte* b = from[1] + static_cast<ptrdiff_t>(i) * steps[1];
    for (size_t left = inner; left > 0;) {
      const size_t count = std::min(left, kPiece);
      for (size_t j = 0; j < count; ++j, a += strides[0], b += strides[1]) {
        bases[j] = static_cast<Work>(*reinterpret_cast<const Base*>(a));
        exponents[j] = static_cast<Work>(*reinterpret_cast<const Exponent*>(b));
      }
      power(count, bases, exponents, bases, 0, 0);
      if constexpr (std::is_same_v<Base, Work>) {
        std::copy_n(bases, count, out);
      } else {
        cast_values(count, bases, out);
      }
      out += count;
      left -= count;
    }
  }
  return true;
}

using PowerLoop = bool (*)(const std::array<const std::byte*, 2>& from, std::byte* to, size_t outer,
                           size_t inner, const Steps& steps, Steps strides);

template <class Base, class Exponent>
PowerLoop pick_power_loop() {
  if constexpr (std::is_integral_v<Base> && std::is_integral_v<Exponent>) {
    return integer_power_loop<Base, Exponent>;
  } else if constexpr (std::is_same_v<Base, float> && std::is_same_v<Exponent, float>) {
    return float_power_loop<Base, Exponent, float>;
  } else {
    return float_power_loop<Base, Exponent, double>;
  }
}

class PowerStep final : public NodeStep {
 public:
  PowerStep(const StepSpec& spec, PowerLoop loop)
      : NodeStep(spec),
        loop_(loop),
        plan_(spec.outputs[0], {&spec.inputs[0], &spec.inputs[1]}),
        base_(spec.inputs[0].slot),
        exponent_(spec.inputs[1].slot),
        to_(spec.outputs[0].slot) {
    for (size_t k = 0; k < 2; ++k) {
      const auto item = static_cast<ptrdiff_t>(item_size(spec.inputs[k].dtype()));
      strides_[k] = plan_.along(k) == Along::kOne ? 0 : item;
    }
  }

  RunStatus run(const Block& block) const noexcept override {
    bool ok = true;
    plan_.run({block.in<std::byte>(base_), block.in<std::byte>(exponent_)}, block.out<std::byte>(to_),
              block.rows,
              [&](const auto& from, std::byte* to, size_t outer, size_t inner, const Steps& steps) {
                ok &= loop_(from, to, outer, inner, steps, strides_);
              });
    return ok ? RunStatus::kOk : RunStatus::kZeroDivision;
  }

 private:
  PowerLoop loop_;
  BroadcastPlan<2> plan_;
  Steps strides_{};
  size_t base_, exponent_, to_;
};

struct SquareOp {
  template <class T>
  static T apply(T x) {
    return canonical(x * x);
  }
};

// Whether the exponent is known to be 2, as in norms written out.
bool is_square(const Operand& exponent) {
  const Tensor* constant = exponent.constant;
  if (constant == nullptr || constant->size() != 1) return false;
  return with_numbers(constant->dtype(),
                      [&]<class T>() { return *static_cast<const T*>(constant->data()) == 2; });
}

std::unique_ptr<Step> make_pow(StepSpec& spec) {
  const DType base = spec.inputs[0].dtype(), exponent = spec.inputs[1].dtype();
  if (is_float(base) && is_square(spec.inputs[1]) &&
      spec.inputs[0].type.shape == spec.outputs[0].type.shape) {
    return std::make_unique<ItemStep>(
        spec, base == DType::kFloat32 ? item_loop<SquareOp, float> : item_loop<SquareOp, double>);
  }
  const PowerLoop loop = with_numbers(base, [&]<class Base>() {
    return with_numbers(exponent, []<class Exponent>() -> PowerLoop {
      if constexpr (std::is_same_v<Base, uint8_t> || std::is_same_v<Exponent, uint8_t>) {
        return nullptr;  // check_graph lets no bool through
      } else {
        return pick_power_loop<Base, Exponent>();
      }
    });
  });
  return std::make_unique<PowerStep>(spec, loop);
}

constexpr StepEntry kEntries[] = {{"Pow", "", make_pow}};

}  // namespace

std::span<const StepEntry> power_steps() { return kEntries; }

}  // namespace maas
