#include "maas/graph/rules.h"

#include <algorithm>

namespace maas {

namespace {

std::string types_text(TypeSet types) {
  std::string text;
  for (const DType dtype :
       {DType::kFloat32, DType::kFloat64, DType::kInt64, DType::kInt32, DType::kBool, DType::kString}) {
    if ((types & type_set(dtype)) == 0) continue;
    if (!text.empty()) text += " or ";
    text += dtype_name(dtype);
  }
  return text;
}

}  // namespace

void expect_type(const NodeView& view, size_t input, const char* name, TypeSet allowed) {
  const DType dtype = view.input(input).dtype;
  if ((type_set(dtype) & allowed) != 0) return;
  view.fail(std::string("expected ") + name + " of type " + types_text(allowed) + ", got " +
            dtype_name(dtype));
}

void expect_same_types(const NodeView& view, size_t first) {
  for (size_t i = first + 1; i < view.inputs(); ++i) {
    if (!view.has_input(i) || view.input(i).dtype == view.input(first).dtype) continue;
    view.fail(std::string("expected inputs of one type, got ") + dtype_name(view.input(first).dtype) +
              " and " + dtype_name(view.input(i).dtype));
  }
}

void expect_unbatched(const NodeView& view, size_t input, const char* name) {
  const Shape& shape = view.input(input).shape;
  if (!is_batched(shape)) return;
  view.unsupported(std::string("expected ") + name + " to be the same for every row, got shape " +
                   shape_text(shape));
}

bool given(const NodeView& view, const char* attribute) {
  const auto found = view.node().attributes.find(attribute);
  if (found == view.node().attributes.end()) return false;
  // Only an empty list passes for lists of two types.
  return !(attribute_fits(found->second, AttributeType::kInts) &&
           attribute_fits(found->second, AttributeType::kFloats));
}

const char* expect_one_of(const NodeView& view, std::initializer_list<const char*> attributes) {
  const char* found = nullptr;
  std::string text;
  size_t count = 0;
  for (const char* attribute : attributes) {
    text += (text.empty() ? "'" : ", '") + std::string(attribute) + "'";
    if (!given(view, attribute)) continue;
    found = attribute;
    ++count;
  }
  if (count != 1) {
    view.fail("expected exactly one of the attributes " + text + ", got " + std::to_string(count));
  }
  return found;
}

Shape broadcast(const NodeView& view, const Shape& a, const Shape& b) {
  const size_t rank = std::max(a.size(), b.size());
  Shape out(rank);
  for (size_t axis = 0; axis < rank; ++axis) {
    const int64_t x = axis + a.size() < rank ? 1 : a[axis + a.size() - rank];
    const int64_t y = axis + b.size() < rank ? 1 : b[axis + b.size() - rank];
    if (axis > 0 && (x == kBatch || y == kBatch)) {
      view.unsupported("shapes " + shape_text(a) + " and " + shape_text(b) +
                       " would combine rows of the batch, or move them from the front");
    }
    if (x != y && x != 1 && y != 1) {
      view.fail("expected shapes that broadcast, got " + shape_text(a) + " and " + shape_text(b));
    }
    out[axis] = x == 1 ? y : x;
  }
  return out;
}

void expect_broadcasts_to(const NodeView& view, const char* name, const Shape& from, const Shape& to) {
  if (from.size() <= to.size() && broadcast(view, from, to) == to) return;
  view.fail(std::string("expected ") + name + " of a shape that broadcasts to " + shape_text(to) + ", got " +
            shape_text(from));
}

size_t resolve_axis(const NodeView& view, int64_t axis, size_t rank) {
  const auto dimensions = static_cast<int64_t>(rank);
  if (axis < -dimensions || axis >= dimensions) {
    view.fail("expected an axis of " + std::to_string(rank) + " dimensions, got " + std::to_string(axis));
  }
  return static_cast<size_t>(axis < 0 ? axis + dimensions : axis);
}

std::vector<size_t> resolve_axes(const NodeView& view, const std::vector<int64_t>& axes, size_t rank) {
  std::vector<size_t> resolved;
  std::vector<bool> seen(rank, false);
  for (const int64_t axis : axes) {
    const size_t at = resolve_axis(view, axis, rank);
    if (seen[at]) view.fail("expected each axis once, got " + std::to_string(axis) + " twice");
    seen[at] = true;
    resolved.push_back(at);
  }
  return resolved;
}

void refuse_batch_axis(const NodeView& view, const Shape& shape, size_t axis, const char* what) {
  if (axis > 0 || !is_batched(shape)) return;
  view.unsupported(std::string("would ") + what + " the rows of the batch (axis 0 of " + shape_text(shape) +
                   "), so that one row's result would depend on others");
}

int64_t product(const Shape& shape, size_t from, size_t to) {
  const auto begin = shape.begin() + static_cast<ptrdiff_t>(from),
             end = shape.begin() + static_cast<ptrdiff_t>(to);
  if (std::find(begin, end, 0) != end) return 0;
  int64_t result = 1;
  for (auto dimension = begin; dimension != end; ++dimension) {
    if (__builtin_mul_overflow(result, *dimension, &result) || result > kMostElements) {
      return kMostElements + 1;
    }
  }
  return result;
}

SliceRange slice_range(int64_t start, int64_t end, int64_t step, int64_t dimension) {
  constexpr int64_t kFar = int64_t{1} << 62;  // of any dimension
  step = std::clamp(step, -kFar, kFar);
  if (start < 0) start += dimension;
  if (end < 0) end += dimension;
  if (step > 0) {
    start = std::clamp<int64_t>(start, 0, dimension);
    end = std::clamp<int64_t>(end, 0, dimension);
    return {start, step, end > start ? (end - start - 1) / step + 1 : 0};
  }
  start = std::clamp<int64_t>(start, dimension > 0 ? 0 : -1, dimension - 1);
  end = std::clamp<int64_t>(end, -1, dimension - 1);
  return {start, step, start > end ? (start - end - 1) / -step + 1 : 0};
}

}  // namespace maas
