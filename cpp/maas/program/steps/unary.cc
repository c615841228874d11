#include <limits>
#include <type_traits>

#include "maas/program/steps/families.h"
#include "maas/program/steps/map_step.h"

namespace maas {

namespace {

template <class T>
std::unique_ptr<Step> make_typed_map(StepSpec& spec) {
  const auto map = find_value_map<T>(spec.view);
  return map ? std::make_unique<MapStep<T>>(spec, *map) : nullptr;
}

}  // namespace

std::unique_ptr<Step> make_map(StepSpec& spec) {
  switch (spec.inputs[0].dtype()) {
    case DType::kFloat32: return make_typed_map<float>(spec);
    case DType::kFloat64: return make_typed_map<double>(spec);
    default: return nullptr;
  }
}

namespace {

[[noreturn]] void refuse_type(const StepSpec& spec) {
  spec.view.unsupported(std::string("values of type ") + dtype_name(spec.inputs[0].dtype()));
}

// Of integers; the lowest value is its own negative.
struct NegOp {
  template <class T>
  static T apply(T x) {
    return static_cast<T>(0 - static_cast<std::make_unsigned_t<T>>(x));
  }
};
struct AbsOp {
  template <class T>
  static T apply(T x) {
    return x < 0 ? NegOp::apply(x) : x;
  }
};
struct SignOp {
  template <class T>
  static T apply(T x) {
    return static_cast<T>((x > 0) - (x < 0));
  }
};
struct ReluOp {
  template <class T>
  static T apply(T x) {
    return x > 0 ? x : 0;
  }
};
struct NotOp {
  static uint8_t apply(uint8_t x) { return x ^ 1; }
};
struct IsNaNOp {
  template <class T>
  static uint8_t apply(T x) {
    return x != x;
  }
};
template <bool kNegative, bool kPositive>
struct IsInfOp {
  template <class T>
  static uint8_t apply(T x) {
    constexpr T kInfinity = std::numeric_limits<T>::infinity();
    return (kNegative && x == -kInfinity) || (kPositive && x == kInfinity);
  }
};

std::unique_ptr<Step> make_float(StepSpec& spec) {
  auto step = make_map(spec);
  if (step == nullptr) refuse_type(spec);
  return step;
}

// With a loop for integers.
template <class Op>
std::unique_ptr<Step> make_number(StepSpec& spec) {
  switch (spec.inputs[0].dtype()) {
    case DType::kInt64: return std::make_unique<ItemStep>(spec, item_loop<Op, int64_t>);
    case DType::kInt32: return std::make_unique<ItemStep>(spec, item_loop<Op, int32_t>);
    default: return make_float(spec);
  }
}

std::unique_ptr<Step> make_not(StepSpec& spec) {
  return std::make_unique<ItemStep>(spec, item_loop<NotOp, uint8_t>);
}

template <class Op>
std::unique_ptr<Step> make_test(StepSpec& spec) {
  switch (spec.inputs[0].dtype()) {
    case DType::kFloat32: return std::make_unique<ItemStep>(spec, item_loop<Op, float, uint8_t>);
    case DType::kFloat64: return std::make_unique<ItemStep>(spec, item_loop<Op, double, uint8_t>);
    default: refuse_type(spec);
  }
}

std::unique_ptr<Step> make_is_inf(StepSpec& spec) {
  const bool negative = spec.view.get_int("detect_negative", 1) != 0;
  const bool positive = spec.view.get_int("detect_positive", 1) != 0;
  if (negative) {
    return positive ? make_test<IsInfOp<true, true>>(spec) : make_test<IsInfOp<true, false>>(spec);
  }
  return positive ? make_test<IsInfOp<false, true>>(spec) : make_test<IsInfOp<false, false>>(spec);
}

constexpr StepEntry kEntries[] = {
    {"Abs", "", make_number<AbsOp>},
    {"Neg", "", make_number<NegOp>},
    {"Sign", "", make_number<SignOp>},
    {"Relu", "", make_number<ReluOp>},
    {"Ceil", "", make_float},
    {"Celu", "", make_float},
    {"Elu", "", make_float},
    {"Erf", "", make_float},
    {"Exp", "", make_float},
    {"Floor", "", make_float},
    {"Gelu", "", make_float},
    {"HardSigmoid", "", make_float},
    {"HardSwish", "", make_float},
    {"LeakyRelu", "", make_float},
    {"Log", "", make_float},
    {"Mish", "", make_float},
    {"Reciprocal", "", make_float},
    {"Round", "", make_float},
    {"Selu", "", make_float},
    {"Sigmoid", "", make_float},
    {"Softplus", "", make_float},
    {"Softsign", "", make_float},
    {"Sqrt", "", make_float},
    {"Tanh", "", make_float},
    {"ThresholdedRelu", "", make_float},
    {"Not", "", make_not},
    {"IsNaN", "", make_test<IsNaNOp>},
    {"IsInf", "", make_is_inf},
};

}  // namespace

std::span<const StepEntry> unary_steps() { return kEntries; }

}  // namespace maas
