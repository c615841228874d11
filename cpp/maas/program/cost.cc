#include <algorithm>

#include "maas/program/draft.h"

namespace maas {

namespace {

// Tenths of a nanosecond, roughly: only to tell microseconds from milliseconds.
constexpr size_t kValueCost = 4;
constexpr size_t kStringCost = 100;
constexpr size_t kProductsPerTenth = 4;  // multiply-adds

size_t values(const Shape& shape) { return is_batched(shape) ? elements(shape) : 0; }

size_t node_cost(const Draft& draft, const Node& node) {
  size_t cost = 0;
  for (const auto* names : {&node.inputs, &node.outputs}) {
    for (const std::string& name : *names) {
      if (name.empty()) continue;
      const ValueType& type = draft.types.at(name);
      cost += values(type.shape) * (type.dtype == DType::kString ? kStringCost : kValueCost);
    }
  }
  if (node.op == "MatMul" || node.op == "Gemm" || node.op == "Dense") {
    const Shape& shape = draft.types.at(node.inputs[0]).shape;
    const auto depth = static_cast<size_t>(std::max<int64_t>(1, shape.back()));
    cost += values(draft.types.at(node.outputs[0]).shape) * depth / kProductsPerTenth;
  }
  return cost;
}

}  // namespace

size_t row_cost(const Draft& draft) {
  size_t cost = 1;
  for (const Node& node : draft.nodes) cost += node_cost(draft, node);
  return cost;
}

}  // namespace maas
