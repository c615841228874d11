// Operators that take one result from many elements of an axis.
#include "maas/graph/rules.h"

namespace maas {

namespace {

// `shape` without the axes marked, or with 1 in their place.
Shape reduced(const Shape& shape, const std::vector<bool>& gone, bool keep) {
  Shape out;
  for (size_t axis = 0; axis < shape.size(); ++axis) {
    if (!gone[axis]) {
      out.push_back(shape[axis]);
    } else if (keep) {
      out.push_back(1);
    }
  }
  return out;
}

template <TypeSet allowed>
OutputTypes reduce(const NodeView& view) {
  expect_type(view, 0, "data", allowed);
  const ValueType& data = view.input(0);
  std::vector<int64_t> axes;
  if (view.has_input(1)) axes = view.constant_ints(1);
  if (axes.empty() && view.get_int("noop_with_empty_axes", 0) != 0) return {data};
  std::vector<bool> gone(data.shape.size(), axes.empty());
  for (const size_t axis : resolve_axes(view, axes, data.shape.size())) gone[axis] = true;
  if (!gone.empty() && gone[0]) refuse_batch_axis(view, data.shape, 0, "reduce");
  return {{data.dtype, reduced(data.shape, gone, view.get_int("keepdims", 1) != 0)}};
}

OutputTypes arg(const NodeView& view) {
  expect_type(view, 0, "data", kNumbers);
  const Shape& shape = view.input(0).shape;
  const size_t axis = view.get_axis("axis", 0, shape.size());
  refuse_batch_axis(view, shape, axis, "compare");
  if (shape[axis] == 0) view.fail("expected at least one element to choose from, got " + shape_text(shape));
  std::vector<bool> gone(shape.size(), false);
  gone[axis] = true;
  return {{DType::kInt64, reduced(shape, gone, view.get_int("keepdims", 1) != 0)}};
}

OutputTypes softmax(const NodeView& view) {
  expect_type(view, 0, "input", kFloats);
  const Shape& shape = view.input(0).shape;
  refuse_batch_axis(view, shape, view.get_axis("axis", -1, shape.size()), "normalise over");
  return {view.input(0)};
}

}  // namespace

std::span<const Op> reduce_ops() {
  constexpr auto kInt = AttributeType::kInt;
  static const std::vector<OpAttribute> options = {{"keepdims", kInt}, {"noop_with_empty_axes", kInt}};
  static const std::vector<OpAttribute> arg_options = {
      {"axis", kInt}, {"keepdims", kInt}, {"select_last_index", kInt}};
  static const Op ops[] = {
      {"ArgMax", "", 1, 1, 1, arg_options, arg},
      {"ArgMin", "", 1, 1, 1, arg_options, arg},
      {"LogSoftmax", "", 1, 1, 1, {{"axis", kInt}}, softmax},
      {"ReduceL1", "", 1, 2, 1, options, reduce<kNumbers>},
      {"ReduceL2", "", 1, 2, 1, options, reduce<kNumbers>},
      {"ReduceLogSumExp", "", 1, 2, 1, options, reduce<kNumbers>},
      {"ReduceMax", "", 1, 2, 1, options, reduce < kNumbers | kBools > },
      {"ReduceMean", "", 1, 2, 1, options, reduce<kNumbers>},
      {"ReduceMin", "", 1, 2, 1, options, reduce < kNumbers | kBools > },
      {"ReduceProd", "", 1, 2, 1, options, reduce<kNumbers>},
      {"ReduceSum", "", 1, 2, 1, options, reduce<kNumbers>},
      {"ReduceSumSquare", "", 1, 2, 1, options, reduce<kNumbers>},
      {"Softmax", "", 1, 1, 1, {{"axis", kInt}}, softmax},
  };
  return ops;
}

}  // namespace maas
