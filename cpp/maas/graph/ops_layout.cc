// Operators that keep every element and give it another place or shape.
#include <algorithm>

#include "maas/graph/rules.h"

namespace maas {

namespace {

constexpr const char* kMixesRows = "would spread the rows of the batch over other dimensions";

// What a Reshape's `shape` asks for, zeros replaced.
Shape requested_shape(const NodeView& view, const Shape& from) {
  Shape to = view.constant_shape(1);
  if (to.size() > kMostDimensions) {
    view.fail("expected at most " + std::to_string(kMostDimensions) + " dimensions, got " +
              std::to_string(to.size()));
  }
  if (view.get_int("allowzero", 0) != 0) return to;
  for (size_t axis = 0; axis < to.size(); ++axis) {
    if (to[axis] != 0) continue;
    if (axis >= from.size()) {
      view.fail("expected a shape whose 0 at axis " + std::to_string(axis) + " stands for one of " +
                shape_text(from));
    }
    to[axis] = is_batched(from) && axis == 0 ? kBatchValue : from[axis];
  }
  return to;
}

// `to` from axis `first` on must hold `count` elements; the one -1 becomes what is missing.
void fill_rest(const NodeView& view, Shape& to, size_t first, int64_t count, const Shape& from) {
  const auto begin = to.begin() + static_cast<ptrdiff_t>(first);
  const auto open = std::find(begin, to.end(), -1);
  if (std::count(begin, to.end(), -1) > 1) view.fail("expected at most one dimension of -1");
  if (std::any_of(begin, to.end(), [](int64_t d) { return d < -1; })) {
    view.fail("expected dimensions of at least 0, or one of -1");
  }
  if (open != to.end()) *open = 1;
  const int64_t rest = product(to, first, to.size());
  const bool fits = open == to.end() ? rest == count : rest > 0 && count % rest == 0;
  if (!fits) {
    if (open != to.end()) *open = -1;
    std::string text = "[";
    for (size_t axis = 0; axis < to.size(); ++axis) {
      text += (axis > 0 ? ", " : "") + (to[axis] == kBatchValue ? "N" : std::to_string(to[axis]));
    }
    view.fail("expected a shape for the elements of " + shape_text(from) + ", got " + text + "]");
  }
  if (open != to.end()) *open = count / rest;
}

OutputTypes reshape(const NodeView& view) {
  const ValueType& data = view.input(0);
  Shape to = requested_shape(view, data.shape);
  const auto batch = std::find(to.begin(), to.end(), kBatchValue);
  if (!is_batched(data.shape)) {
    if (batch != to.end()) view.unsupported("would give rows to a value that has none");
    fill_rest(view, to, 0, product(data.shape, 0, data.shape.size()), data.shape);
    return {{data.dtype, to}};
  }
  // The rows stay in front where the first dimension is theirs, or is open and the rest holds one row.
  const int64_t row = product(data.shape, 1, data.shape.size());
  if (to.empty() || (batch != to.end() && batch != to.begin())) view.unsupported(kMixesRows);
  if (batch == to.end() && (to[0] != -1 || product(to, 1, to.size()) != row)) {
    view.unsupported(std::string(kMixesRows) + ": " + shape_text(data.shape) + " to " +
                     std::to_string(to.size()) + " dimensions, the first of which is not the rows");
  }
  fill_rest(view, to, 1, row, data.shape);
  to[0] = kBatch;
  return {{data.dtype, to}};
}

OutputTypes flatten(const NodeView& view) {
  const ValueType& data = view.input(0);
  const int64_t rank = static_cast<int64_t>(data.shape.size()), asked = view.get_int("axis", 1);
  if (asked < -rank || asked > rank) {
    view.fail("expected attribute 'axis' in -" + std::to_string(rank) + " to " + std::to_string(rank) +
              ", got " + std::to_string(asked));
  }
  const auto axis = static_cast<size_t>(asked < 0 ? asked + rank : asked);
  if (!is_batched(data.shape)) {
    return {{data.dtype, {product(data.shape, 0, axis), product(data.shape, axis, data.shape.size())}}};
  }
  if (axis == 0 || product(data.shape, 1, axis) != 1) view.unsupported(kMixesRows);
  return {{data.dtype, {kBatch, product(data.shape, axis, data.shape.size())}}};
}

OutputTypes transpose(const NodeView& view) {
  const ValueType& data = view.input(0);
  const size_t rank = data.shape.size();
  std::vector<int64_t> perm = view.get_ints("perm");
  if (!view.has("perm")) {
    for (size_t axis = rank; axis > 0; --axis) perm.push_back(static_cast<int64_t>(axis - 1));
  }
  if (perm.size() != rank) {
    view.fail("expected attribute 'perm' of " + std::to_string(rank) + " axes, got " +
              std::to_string(perm.size()));
  }
  const auto axes = resolve_axes(view, perm, rank);
  if (rank > 0 && axes[0] != 0) refuse_batch_axis(view, data.shape, 0, "move");
  Shape out;
  for (const size_t axis : axes) out.push_back(data.shape[axis]);
  return {{data.dtype, out}};
}

OutputTypes squeeze(const NodeView& view) {
  const ValueType& data = view.input(0);
  std::vector<bool> gone(data.shape.size(), false);
  if (view.has_input(1)) {
    for (const size_t axis : resolve_axes(view, view.constant_ints(1), gone.size())) gone[axis] = true;
  } else {
    for (size_t axis = 0; axis < gone.size(); ++axis) gone[axis] = data.shape[axis] == 1;
  }
  Shape out;
  for (size_t axis = 0; axis < gone.size(); ++axis) {
    if (!gone[axis]) {
      out.push_back(data.shape[axis]);
      continue;
    }
    refuse_batch_axis(view, data.shape, axis, "drop");
    if (data.shape[axis] != 1) {
      view.fail("expected axis " + std::to_string(axis) + " of " + shape_text(data.shape) + " to be 1");
    }
  }
  return {{data.dtype, out}};
}

OutputTypes unsqueeze(const NodeView& view) {
  const ValueType& data = view.input(0);
  const auto axes = view.constant_ints(1);
  const size_t rank = data.shape.size() + axes.size();
  if (rank > kMostDimensions) {
    view.fail("expected at most " + std::to_string(kMostDimensions) + " dimensions, got " +
              std::to_string(rank));
  }
  std::vector<bool> added(rank, false);
  for (const size_t axis : resolve_axes(view, axes, rank)) added[axis] = true;
  if (rank > 0 && added[0]) refuse_batch_axis(view, data.shape, 0, "move");
  Shape out;
  auto next = data.shape.begin();
  for (size_t axis = 0; axis < rank; ++axis) out.push_back(added[axis] ? 1 : *next++);
  return {{data.dtype, out}};
}

OutputTypes concat(const NodeView& view) {
  expect_same_types(view);
  if (!view.has("axis")) view.fail("expected attribute 'axis'");
  ValueType out = view.input(0);
  const size_t axis = view.get_axis("axis", 0, out.shape.size());
  for (size_t i = 0; i < view.inputs(); ++i) {
    const Shape& shape = view.input(i).shape;
    refuse_batch_axis(view, shape, axis, "join");
    Shape other = shape;
    if (other.size() == out.shape.size()) other[axis] = out.shape[axis];
    if (other != out.shape) {
      view.fail("expected shapes that differ at axis " + std::to_string(axis) + " alone, got " +
                shape_text(view.input(0).shape) + " and " + shape_text(shape));
    }
    if (i > 0) out.shape[axis] += shape[axis];
  }
  return {out};
}

}  // namespace

std::span<const Op> layout_ops() {
  constexpr auto kInt = AttributeType::kInt;
  static const Op ops[] = {
      {"Concat", "", 1, kAnyNumber, 1, {{"axis", kInt}}, concat},
      {"Flatten", "", 1, 1, 1, {{"axis", kInt}}, flatten},
      {"Reshape", "", 2, 2, 1, {{"allowzero", kInt}}, reshape},
      {"Squeeze", "", 1, 2, 1, {}, squeeze},
      {"Transpose", "", 1, 1, 1, {{"perm", AttributeType::kInts}}, transpose},
      {"Unsqueeze", "", 2, 2, 1, {}, unsqueeze},
  };
  return ops;
}

}  // namespace maas
