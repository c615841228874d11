// Operators that work on each element alone, and those on pairs of them with broadcasting.
#include "maas/graph/rules.h"

namespace maas {

namespace {

Shape broadcast_inputs(const NodeView& view, size_t count) {
  Shape shape = view.input(0).shape;
  for (size_t i = 1; i < count; ++i) shape = broadcast(view, shape, view.input(i).shape);
  return shape;
}

template <TypeSet allowed>
OutputTypes unary(const NodeView& view) {
  expect_type(view, 0, "X", allowed);
  return {view.input(0)};
}

template <TypeSet allowed>
OutputTypes test(const NodeView& view) {
  expect_type(view, 0, "X", allowed);
  return {{DType::kBool, view.input(0).shape}};
}

// Any number of inputs of one type.
template <TypeSet allowed>
OutputTypes combine(const NodeView& view) {
  expect_type(view, 0, "A", allowed);
  expect_same_types(view);
  return {{view.input(0).dtype, broadcast_inputs(view, view.inputs())}};
}

template <TypeSet allowed>
OutputTypes compare(const NodeView& view) {
  return {{DType::kBool, combine<allowed>(view)[0].shape}};
}

OutputTypes power(const NodeView& view) {
  expect_type(view, 0, "X", kNumbers);
  expect_type(view, 1, "Y", kNumbers);
  return {{view.input(0).dtype, broadcast_inputs(view, 2)}};
}

OutputTypes modulo(const NodeView& view) {
  OutputTypes types = combine<kNumbers>(view);
  const int64_t fmod = view.get_int("fmod", 0);
  if (fmod != 0 && fmod != 1) view.fail("expected attribute 'fmod' of 0 or 1, got " + std::to_string(fmod));
  if (is_float(types[0].dtype) && fmod == 0) view.fail("expected attribute 'fmod' of 1 for floats, got 0");
  return types;
}

OutputTypes where(const NodeView& view) {
  expect_type(view, 0, "condition", kBools);
  expect_type(view, 1, "X", kAllTypes);
  expect_same_types(view, 1);
  return {{view.input(1).dtype, broadcast_inputs(view, 3)}};
}

OutputTypes clip(const NodeView& view) {
  expect_type(view, 0, "input", kNumbers);
  expect_same_types(view);
  for (size_t i = 1; i < view.inputs(); ++i) {
    if (!view.has_input(i)) continue;
    const Shape& bound = view.input(i).shape;
    if (!is_batched(bound) && elements(bound) == 1) continue;
    view.fail(std::string("expected ") + (i == 1 ? "min" : "max") + " to be one number, got shape " +
              shape_text(bound));
  }
  return {view.input(0)};
}

OutputTypes prelu(const NodeView& view) {
  expect_type(view, 0, "X", kNumbers);
  expect_same_types(view);
  expect_broadcasts_to(view, "slope", view.input(1).shape, view.input(0).shape);
  return {view.input(0)};
}

// The values as they are: only a network being trained drops any.
OutputTypes dropout(const NodeView& view) {
  expect_type(view, 0, "data", kFloats);
  if (view.has_input(1)) {
    expect_type(view, 1, "ratio", kFloats);
    expect_unbatched(view, 1, "ratio");
  }
  if (view.has_input(2)) {
    expect_type(view, 2, "training_mode", kBools);
    const Tensor* training = view.constant(2);
    if (training == nullptr || training->size() != 1 || training->values<bool>()[0]) {
      view.unsupported("may be in training mode; expected a constant training_mode of false");
    }
  }
  return {view.input(0)};
}

OutputTypes gelu(const NodeView& view) {
  const std::string form = view.get_string("approximate", "none");
  if (form != "none" && form != "tanh") {
    view.fail("expected attribute 'approximate' of none or tanh, got " + form);
  }
  return unary<kFloats>(view);
}

OutputTypes cast(const NodeView& view) {
  if (!view.has("to")) view.fail("expected attribute 'to'");
  const int64_t to = view.get_int("to", 0);
  const auto dtype = onnx_dtype(to);
  if (!dtype) {
    view.unsupported("expected to cast to float32, float64, int64, int32, bool or string, got ONNX type " +
                     std::to_string(to));
  }
  return {{*dtype, view.input(0).shape}};
}

constexpr auto kFloat = AttributeType::kFloat;
constexpr auto kInt = AttributeType::kInt;

}  // namespace

std::span<const Op> elementwise_ops() {
  static const Op ops[] = {
      {"Abs", "", 1, 1, 1, {}, unary<kNumbers>},
      {"Add", "", 2, 2, 1, {}, combine<kNumbers>},
      {"And", "", 2, 2, 1, {}, compare<kBools>},
      {"Cast", "", 1, 1, 1, {{"to", kInt}, {"saturate", kInt}}, cast},
      {"Ceil", "", 1, 1, 1, {}, unary<kFloats>},
      {"Celu", "", 1, 1, 1, {{"alpha", kFloat}}, unary<type_set(DType::kFloat32)>},
      {"Clip", "", 1, 3, 1, {}, clip},
      {"Div", "", 2, 2, 1, {}, combine<kNumbers>},
      {"Dropout", "", 1, 3, 1, {{"seed", kInt}}, dropout},
      {"Elu", "", 1, 1, 1, {{"alpha", kFloat}}, unary<kFloats>},
      {"Equal", "", 2, 2, 1, {}, compare<kAllTypes>},
      {"Erf", "", 1, 1, 1, {}, unary<kFloats>},
      {"Exp", "", 1, 1, 1, {}, unary<kFloats>},
      {"Floor", "", 1, 1, 1, {}, unary<kFloats>},
      {"Gelu", "", 1, 1, 1, {{"approximate", AttributeType::kString}}, gelu},
      {"Greater", "", 2, 2, 1, {}, compare<kNumbers>},
      {"GreaterOrEqual", "", 2, 2, 1, {}, compare<kNumbers>},
      {"HardSigmoid", "", 1, 1, 1, {{"alpha", kFloat}, {"beta", kFloat}}, unary<kFloats>},
      {"HardSwish", "", 1, 1, 1, {}, unary<kFloats>},
      {"Identity", "", 1, 1, 1, {}, unary<kAllTypes>},
      {"IsInf", "", 1, 1, 1, {{"detect_negative", kInt}, {"detect_positive", kInt}}, test<kFloats>},
      {"IsNaN", "", 1, 1, 1, {}, test<kFloats>},
      {"LeakyRelu", "", 1, 1, 1, {{"alpha", kFloat}}, unary<kFloats>},
      {"Less", "", 2, 2, 1, {}, compare<kNumbers>},
      {"LessOrEqual", "", 2, 2, 1, {}, compare<kNumbers>},
      {"Log", "", 1, 1, 1, {}, unary<kFloats>},
      {"Max", "", 1, kAnyNumber, 1, {}, combine<kNumbers>},
      {"Mean", "", 1, kAnyNumber, 1, {}, combine<kFloats>},
      {"Min", "", 1, kAnyNumber, 1, {}, combine<kNumbers>},
      {"Mish", "", 1, 1, 1, {}, unary<kFloats>},
      {"Mod", "", 2, 2, 1, {{"fmod", kInt}}, modulo},
      {"Mul", "", 2, 2, 1, {}, combine<kNumbers>},
      {"Neg", "", 1, 1, 1, {}, unary<kNumbers>},
      {"Not", "", 1, 1, 1, {}, unary<kBools>},
      {"Or", "", 2, 2, 1, {}, compare<kBools>},
      {"PRelu", "", 2, 2, 1, {}, prelu},
      {"Pow", "", 2, 2, 1, {}, power},
      {"Reciprocal", "", 1, 1, 1, {}, unary<kFloats>},
      {"Relu", "", 1, 1, 1, {}, unary<kNumbers>},
      {"Round", "", 1, 1, 1, {}, unary<kFloats>},
      {"Selu", "", 1, 1, 1, {{"alpha", kFloat}, {"gamma", kFloat}}, unary<kFloats>},
      {"Sigmoid", "", 1, 1, 1, {}, unary<kFloats>},
      {"Sign", "", 1, 1, 1, {}, unary<kNumbers>},
      {"Softplus", "", 1, 1, 1, {}, unary<kFloats>},
      {"Softsign", "", 1, 1, 1, {}, unary<kFloats>},
      {"Sqrt", "", 1, 1, 1, {}, unary<kFloats>},
      {"Sub", "", 2, 2, 1, {}, combine<kNumbers>},
      {"Sum", "", 1, kAnyNumber, 1, {}, combine<kFloats>},
      {"Tanh", "", 1, 1, 1, {}, unary<kFloats>},
      {"ThresholdedRelu", "", 1, 1, 1, {{"alpha", kFloat}}, unary<kFloats>},
      {"Where", "", 3, 3, 1, {}, where},
      {"Xor", "", 2, 2, 1, {}, compare<kBools>},
  };
  return ops;
}

}  // namespace maas
