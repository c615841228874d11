// Normalisation with weights of its own.
#include "maas/graph/rules.h"

namespace maas {

namespace {

OutputTypes batch_normalization(const NodeView& view) {
  expect_type(view, 0, "X", kFloats);
  expect_same_types(view);
  if (view.get_int("training_mode", 0) != 0) {
    view.unsupported("expected training_mode of 0: models are run, not trained");
  }
  const Shape& shape = view.input(0).shape;
  if (shape.empty()) view.fail("expected X of at least one dimension, got []");
  const Shape channels = {shape.size() > 1 ? shape[1] : 1};
  constexpr const char* names[] = {"X", "scale", "B", "input_mean", "input_var"};
  for (size_t i = 1; i < 5; ++i) {
    if (view.input(i).shape == channels) continue;
    view.fail(std::string("expected ") + names[i] + " of shape " + shape_text(channels) + " for X of shape " +
              shape_text(shape) + ", got " + shape_text(view.input(i).shape));
  }
  return {view.input(0)};
}

OutputTypes layer_normalization(const NodeView& view) {
  expect_type(view, 0, "X", kFloats);
  expect_same_types(view);
  if (view.get_int("stash_type", 1) != onnx_number(DType::kFloat32)) {
    view.unsupported("expected stash_type of 1 (float32)");
  }
  const ValueType& x = view.input(0);
  const size_t axis = view.get_axis("axis", -1, x.shape.size());
  refuse_batch_axis(view, x.shape, axis, "normalise over");
  const Shape normalised(x.shape.begin() + static_cast<ptrdiff_t>(axis), x.shape.end());
  for (size_t i = 1; i < view.inputs(); ++i) {
    if (!view.has_input(i)) continue;
    const char* name = i == 1 ? "Scale" : "B";
    expect_unbatched(view, i, name);
    expect_broadcasts_to(view, name, view.input(i).shape, normalised);
  }
  Shape statistics = x.shape;
  for (size_t i = axis; i < statistics.size(); ++i) statistics[i] = 1;
  return {x, {DType::kFloat32, statistics}, {DType::kFloat32, statistics}};
}

}  // namespace

std::span<const Op> norm_ops() {
  constexpr auto kInt = AttributeType::kInt;
  constexpr auto kFloat = AttributeType::kFloat;
  static const Op ops[] = {
      {"BatchNormalization",
       "",
       5,
       5,
       1,
       {{"epsilon", kFloat}, {"momentum", kFloat}, {"training_mode", kInt}},
       batch_normalization},
      {"LayerNormalization",
       "",
       2,
       3,
       3,
       {{"axis", kInt}, {"epsilon", kFloat}, {"stash_type", kInt}},
       layer_normalization},
  };
  return ops;
}

}  // namespace maas
