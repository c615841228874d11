// Operators that take some elements, repeat them or make new ones.
#include <algorithm>

#include "maas/graph/rules.h"

namespace maas {

namespace {

void expect_indices_within(const NodeView& view, int64_t dimension) {
  const Tensor* indices = view.constant(1);
  if (indices == nullptr) return;
  const auto check = [&](const auto& values) {
    for (const int64_t index : values) {
      if (index >= -dimension && index < dimension) continue;
      view.fail("expected indices of " + std::to_string(dimension) + " elements, got " +
                std::to_string(index));
    }
  };
  if (indices->dtype() == DType::kInt64) {
    check(indices->values<int64_t>());
  } else {
    check(indices->values<int32_t>());
  }
}

OutputTypes gather(const NodeView& view) {
  expect_type(view, 1, "indices", kIntegers);
  const ValueType& data = view.input(0);
  const Shape& indices = view.input(1).shape;
  const size_t axis = view.get_axis("axis", 0, data.shape.size());
  refuse_batch_axis(view, data.shape, axis, "choose among");
  if (is_batched(indices) && axis > 0) {
    view.unsupported("shapes " + shape_text(data.shape) + " and " + shape_text(indices) + " at axis " +
                     std::to_string(axis) + " would move the rows of the batch from the front");
  }
  expect_indices_within(view, data.shape[axis]);
  const auto at = data.shape.begin() + static_cast<ptrdiff_t>(axis);
  Shape out(data.shape.begin(), at);
  out.insert(out.end(), indices.begin(), indices.end());
  out.insert(out.end(), at + 1, data.shape.end());
  return {{data.dtype, out}};
}

OutputTypes gather_elements(const NodeView& view) {
  expect_type(view, 1, "indices", kIntegers);
  const ValueType& data = view.input(0);
  const Shape& indices = view.input(1).shape;
  const size_t rank = data.shape.size();
  if (rank == 0 || indices.size() != rank) {
    view.fail("expected data and indices of the same dimensions, got " + shape_text(data.shape) + " and " +
              shape_text(indices));
  }
  const size_t axis = view.get_axis("axis", 0, rank);
  refuse_batch_axis(view, data.shape, axis, "choose among");
  if (axis > 0 && is_batched(data.shape) != is_batched(indices)) {
    view.unsupported("expected data and indices with rows both, got " + shape_text(data.shape) + " and " +
                     shape_text(indices));
  }
  for (size_t i = 0; i < rank; ++i) {
    if (i == axis || indices[i] <= data.shape[i]) continue;
    view.fail("expected indices within " + shape_text(data.shape) + " but for axis " + std::to_string(axis) +
              ", got " + shape_text(indices));
  }
  expect_indices_within(view, data.shape[axis]);
  return {{data.dtype, indices}};
}

struct SliceParts {
  std::vector<int64_t> starts, ends, axes, steps;
};

SliceParts slice_parts(const NodeView& view, size_t rank) {
  SliceParts parts{view.constant_ints(1), view.constant_ints(2), {}, {}};
  if (view.has_input(3)) parts.axes = view.constant_ints(3);
  if (view.has_input(4)) parts.steps = view.constant_ints(4);
  const size_t count = parts.starts.size();
  if (!view.has_input(3)) {
    for (size_t i = 0; i < count; ++i) parts.axes.push_back(static_cast<int64_t>(i));
  }
  if (!view.has_input(4)) parts.steps.assign(count, 1);
  if (parts.ends.size() != count || parts.axes.size() != count || parts.steps.size() != count ||
      count > rank) {
    view.fail("expected as many ends, axes and steps as starts, at most " + std::to_string(rank));
  }
  return parts;
}

OutputTypes slice(const NodeView& view) {
  ValueType out = view.input(0);
  const SliceParts parts = slice_parts(view, out.shape.size());
  const auto axes = resolve_axes(view, parts.axes, out.shape.size());
  for (size_t i = 0; i < axes.size(); ++i) {
    if (parts.steps[i] == 0) view.fail("expected steps other than 0");
    int64_t& dimension = out.shape[axes[i]];
    if (dimension != kBatch) {
      dimension = slice_range(parts.starts[i], parts.ends[i], parts.steps[i], dimension).count;
    } else if (parts.starts[i] != 0 || parts.steps[i] != 1 || parts.ends[i] < kMostElements - 1) {
      refuse_batch_axis(view, out.shape, axes[i], "leave out some of");
    }
  }
  return {out};
}

// How long each part is, from the input `split`, the attribute num_outputs or the number of outputs.
std::vector<int64_t> split_sizes(const NodeView& view, int64_t dimension) {
  const auto outputs = static_cast<int64_t>(view.node().outputs.size());
  if (view.has_input(1)) {
    auto sizes = view.constant_ints(1);
    int64_t rest = dimension;
    for (const int64_t size : sizes) {
      if (size < 0 || size > rest) view.fail("expected parts that add up to " + std::to_string(dimension));
      rest -= size;
    }
    if (rest != 0 || static_cast<int64_t>(sizes.size()) != outputs) {
      view.fail("expected " + std::to_string(outputs) + " parts that add up to " + std::to_string(dimension));
    }
    return sizes;
  }
  if (view.get_int("num_outputs", outputs) != outputs) {
    view.fail("expected attribute 'num_outputs' of " + std::to_string(outputs) + ", as many as outputs");
  }
  const int64_t size = (dimension + outputs - 1) / outputs;
  if (size * (outputs - 1) > dimension) {
    view.fail("expected at least one element a part, got " + std::to_string(dimension) + " for " +
              std::to_string(outputs));
  }
  std::vector<int64_t> sizes(static_cast<size_t>(outputs), size);
  sizes.back() = dimension - size * (outputs - 1);
  return sizes;
}

OutputTypes split(const NodeView& view) {
  const ValueType& input = view.input(0);
  const size_t axis = view.get_axis("axis", 0, input.shape.size());
  refuse_batch_axis(view, input.shape, axis, "part");
  OutputTypes out;
  for (const int64_t size : split_sizes(view, input.shape[axis])) {
    out.push_back(input);
    out.back().shape[axis] = size;
  }
  return out;
}

// A shape from an input, whose first dimension may be the rows of the batch.
Shape asked_shape(const NodeView& view, size_t input) {
  Shape shape = view.constant_shape(input);
  for (size_t axis = 0; axis < shape.size(); ++axis) {
    if (axis == 0 && shape[0] == kBatchValue) {
      shape[0] = kBatch;
    } else if (shape[axis] == kBatchValue) {
      view.unsupported("would move the rows of the batch from the front");
    } else if (shape[axis] < 0) {
      view.fail("expected dimensions of at least 0, got " + std::to_string(shape[axis]));
    }
  }
  return shape;
}

OutputTypes expand(const NodeView& view) {
  return {{view.input(0).dtype, broadcast(view, view.input(0).shape, asked_shape(view, 1))}};
}

OutputTypes tile(const NodeView& view) {
  ValueType out = view.input(0);
  const auto repeats = view.constant_ints(1);
  if (repeats.size() != out.shape.size()) {
    view.fail("expected " + std::to_string(out.shape.size()) + " repeats for " + shape_text(out.shape) +
              ", got " + std::to_string(repeats.size()));
  }
  for (size_t axis = 0; axis < repeats.size(); ++axis) {
    if (repeats[axis] < 0) view.fail("expected repeats of at least 0, got " + std::to_string(repeats[axis]));
    if (repeats[axis] == 1) continue;
    refuse_batch_axis(view, out.shape, axis, "repeat");
    out.shape[axis] = product({out.shape[axis], repeats[axis]}, 0, 2);
  }
  return {out};
}

OutputTypes shape(const NodeView& view) {
  const auto rank = static_cast<int64_t>(view.input(0).shape.size());
  const SliceRange range = slice_range(view.get_int("start", 0), view.get_int("end", rank), 1, rank);
  return {{DType::kInt64, {range.count}}};
}

OutputTypes constant_of_shape(const NodeView& view) {
  const Tensor* value = view.get_tensor("value");
  if (value != nullptr && value->size() != 1) {
    view.fail("expected attribute 'value' of one element, got shape " + shape_text(value->shape()));
  }
  return {{value == nullptr ? DType::kFloat32 : value->dtype(), asked_shape(view, 0)}};
}

}  // namespace

std::span<const Op> select_ops() {
  constexpr auto kInt = AttributeType::kInt;
  static const Op ops[] = {
      {"ConstantOfShape", "", 1, 1, 1, {{"value", AttributeType::kTensor}}, constant_of_shape},
      {"Expand", "", 2, 2, 1, {}, expand},
      {"Gather", "", 2, 2, 1, {{"axis", kInt}}, gather},
      {"GatherElements", "", 2, 2, 1, {{"axis", kInt}}, gather_elements},
      {"Shape", "", 1, 1, 1, {{"start", kInt}, {"end", kInt}}, shape},
      {"Slice", "", 3, 5, 1, {}, slice},
      {"Split", "", 1, 2, kAnyNumber, {{"axis", kInt}, {"num_outputs", kInt}}, split},
      {"Tile", "", 2, 2, 1, {}, tile},
  };
  return ops;
}

}  // namespace maas
