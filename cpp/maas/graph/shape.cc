#include "maas/graph/shape.h"

namespace maas {

std::optional<int64_t> checked_elements(const Shape& shape) {
  int64_t product = 1;
  for (size_t axis = is_batched(shape) ? 1 : 0; axis < shape.size(); ++axis) {
    if (shape[axis] < 0 || __builtin_mul_overflow(product, shape[axis], &product)) return std::nullopt;
  }
  return product;
}

size_t elements(const Shape& shape) { return static_cast<size_t>(checked_elements(shape).value_or(0)); }

std::string shape_text(const Shape& shape) {
  std::string text = "[";
  for (size_t axis = 0; axis < shape.size(); ++axis) {
    if (axis > 0) text += ", ";
    text += shape[axis] == kBatch ? "N" : std::to_string(shape[axis]);
  }
  return text + "]";
}

}  // namespace maas
