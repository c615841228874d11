// Operators that are a function of each value by itself, as kernels/elementwise.h computes them: a step of
// their own, or the last part of a dense layer.
#pragma once

#include <optional>

#include "maas/graph/op.h"
#include "maas/kernels/elementwise.h"

namespace maas {

template <class T>
struct ValueMap {
  MapOp op = MapOp::kRelu;
  T p = 0, q = 0;
};

// Nothing where the node is another operator, or Clip with limits that are not known before a run.
template <class T>
std::optional<ValueMap<T>> find_value_map(const NodeView& view);

extern template std::optional<ValueMap<float>> find_value_map(const NodeView& view);
extern template std::optional<ValueMap<double>> find_value_map(const NodeView& view);

}  // namespace maas
