#include "maas/graph/known_value.h"

#include <algorithm>

#include "maas/graph/rules.h"

namespace maas {

namespace {

template <class T>
std::vector<int64_t> widened(const Tensor& tensor) {
  const auto values = tensor.values<T>();
  return {values.begin(), values.end()};
}

constexpr int64_t kMostKnown = 1024;

using Values = std::vector<int64_t>;
using Known = std::optional<Values>;

bool may_be_known(const ValueType& type) {
  return (type_set(type.dtype) & (kIntegers | kBools)) != 0 && type.shape.size() <= 1 &&
         !is_batched(type.shape) && product(type.shape, 0, type.shape.size()) <= kMostKnown;
}

// Nothing where a value does not fit, or would pass for the batch.
std::optional<std::vector<int32_t>> narrowed(const Values& values) {
  std::vector<int32_t> narrow;
  for (const int64_t value : values) {
    const auto cut = static_cast<int32_t>(value);
    if (value != kBatchValue && (cut != value || cut == kBatchValue32)) return std::nullopt;
    narrow.push_back(value == kBatchValue ? kBatchValue32 : cut);
  }
  return narrow;
}

Known values_of(const NodeView& view, size_t input) {
  const Tensor* tensor = view.has_input(input) ? view.constant(input) : nullptr;
  if (tensor == nullptr || !may_be_known(view.input(input))) return std::nullopt;
  return known_integers(*tensor);
}

// Nothing where a value does not fit the type.
std::optional<Tensor> tensor_of(const ValueType& type, const Values& values) {
  if (type.dtype == DType::kInt64) return Tensor::of(type.shape, values.data());
  if (type.dtype == DType::kInt32) {
    const auto narrow = narrowed(values);
    return narrow ? std::optional(Tensor::of(type.shape, narrow->data())) : std::nullopt;
  }
  std::string bytes;
  for (const int64_t value : values) {
    if (value == kBatchValue) return std::nullopt;
    bytes.push_back(value != 0 ? 1 : 0);
  }
  return Tensor::of_bytes(DType::kBool, type.shape, bytes);
}

Known shape_values(const NodeView& view) {
  const Shape& shape = view.input(0).shape;
  const auto rank = static_cast<int64_t>(shape.size());
  const SliceRange range = slice_range(view.get_int("start", 0), view.get_int("end", rank), 1, rank);
  Values values;
  for (int64_t i = 0; i < range.count; ++i) {
    const int64_t dimension = shape[static_cast<size_t>(range.start + i)];
    values.push_back(dimension == kBatch ? kBatchValue : dimension);
  }
  return values;
}

Known gathered(const NodeView& view) {
  const Known data = values_of(view, 0), indices = values_of(view, 1);
  if (!data || !indices || view.input(0).shape.size() != 1) return std::nullopt;
  const auto count = static_cast<int64_t>(data->size());
  Values values;
  for (const int64_t index : *indices)
    values.push_back((*data)[static_cast<size_t>(index < 0 ? index + count : index)]);
  return values;
}

Known sliced(const NodeView& view) {
  const Known data = values_of(view, 0);
  if (!data || view.input(0).shape.size() != 1) return std::nullopt;
  const auto starts = view.constant_ints(1), ends = view.constant_ints(2);
  if (starts.empty()) return data;
  const int64_t step = view.has_input(4) ? view.constant_ints(4)[0] : 1;
  const SliceRange range = slice_range(starts[0], ends[0], step, static_cast<int64_t>(data->size()));
  Values values;
  for (int64_t i = 0; i < range.count; ++i) {
    values.push_back((*data)[static_cast<size_t>(range.start + i * range.step)]);
  }
  return values;
}

Known concatenated(const NodeView& view) {
  Values values;
  for (size_t i = 0; i < view.inputs(); ++i) {
    const Known part = values_of(view, i);
    if (!part) return std::nullopt;
    values.insert(values.end(), part->begin(), part->end());
  }
  return values;
}

// Nothing where the number of rows would decide, or the result does not fit.
std::optional<int64_t> combined(std::string_view op, int64_t a, int64_t b) {
  if (op == "Equal") {
    if (a != kBatchValue && b != kBatchValue) return a == b ? 1 : 0;
    const int64_t other = a == kBatchValue ? b : a;
    return other < 0 && other != kBatchValue ? std::optional<int64_t>(0) : std::nullopt;
  }
  if (a == kBatchValue || b == kBatchValue) return std::nullopt;
  int64_t result = 0;
  bool overflows = false;
  if (op == "Add") overflows = __builtin_add_overflow(a, b, &result);
  if (op == "Sub") overflows = __builtin_sub_overflow(a, b, &result);
  if (op == "Mul") overflows = __builtin_mul_overflow(a, b, &result);
  if (op == "Div") {
    overflows = b == 0 || b == -1;
    if (b == -1) overflows = __builtin_sub_overflow(int64_t{0}, a, &result);
    if (!overflows && b != -1) result = a / b;
  }
  return overflows ? std::nullopt : std::optional<int64_t>(result);
}

// Element i of values that broadcast from one.
int64_t at(const Values& values, size_t i) { return values[values.size() == 1 ? 0 : i]; }

Known pairwise(const NodeView& view, size_t count) {
  const Known a = values_of(view, 0), b = values_of(view, 1);
  if (!a || !b) return std::nullopt;
  Values values;
  for (size_t i = 0; i < count; ++i) {
    const auto value = combined(view.node().op, at(*a, i), at(*b, i));
    if (!value) return std::nullopt;
    values.push_back(*value);
  }
  return values;
}

Known chosen(const NodeView& view, size_t count) {
  const Known condition = values_of(view, 0), x = values_of(view, 1), y = values_of(view, 2);
  if (!condition || !x || !y) return std::nullopt;
  Values values;
  for (size_t i = 0; i < count; ++i) values.push_back(at(at(*condition, i) != 0 ? *x : *y, i));
  return values;
}

Known multiplied(const NodeView& view) {
  const Known data = values_of(view, 0);
  if (!data || (view.has_input(1) && view.constant_ints(1).empty())) return std::nullopt;
  std::optional<int64_t> product = 1;
  for (const int64_t value : *data) {
    if (product) product = combined("Mul", *product, value);
  }
  if (!product) return std::nullopt;
  return Values{*product};
}

Known repeated(const NodeView& view, size_t count) {
  const Tensor* value = view.get_tensor("value");
  if (value == nullptr) return std::nullopt;
  return Values(count, known_integers(*value)[0]);
}

Known evaluate(const NodeView& view, size_t count) {
  const std::string& op = view.node().op;
  if (op == "Shape") return shape_values(view);
  if (op == "Identity" || op == "Cast" || op == "Reshape" || op == "Squeeze" || op == "Unsqueeze") {
    return values_of(view, 0);
  }
  if (op == "Gather") return gathered(view);
  if (op == "Slice") return sliced(view);
  if (op == "Concat") return concatenated(view);
  if (op == "Add" || op == "Sub" || op == "Mul" || op == "Div" || op == "Equal") return pairwise(view, count);
  if (op == "Where") return chosen(view, count);
  if (op == "ReduceProd") return multiplied(view);
  if (op == "ConstantOfShape") return repeated(view, count);
  return std::nullopt;
}

}  // namespace

std::vector<int64_t> known_integers(const Tensor& tensor) {
  if (tensor.dtype() == DType::kInt64) return widened<int64_t>(tensor);
  if (tensor.dtype() != DType::kInt32) return widened<bool>(tensor);
  auto values = widened<int32_t>(tensor);
  std::replace(values.begin(), values.end(), int64_t{kBatchValue32}, kBatchValue);
  return values;
}

std::optional<Tensor> known_value(const NodeView& view, const ValueType& type) {
  if (!view.node().domain.empty() || !may_be_known(type)) return std::nullopt;
  const Known values = evaluate(view, elements(type.shape));
  if (!values || values->size() != elements(type.shape)) return std::nullopt;
  return tensor_of(type, *values);
}

}  // namespace maas
