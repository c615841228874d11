// Values that are the same in every run because they come from shapes and initializers alone. So shapes that
// a model computes (a view of x.size(0) rows) are known when it is checked.
#pragma once

#include <optional>
#include <vector>

#include "maas/graph/op.h"

namespace maas {

// The value of the node's output, or nothing where only a run can tell. Integers and bools of at most one
// dimension and 1024 elements; `type` is what the operator's rule gave.
std::optional<Tensor> known_value(const NodeView& view, const ValueType& type);

// What a known value of integers or bools holds; kBatchValue where one is the number of rows, of int32 too.
std::vector<int64_t> known_integers(const Tensor& tensor);

}  // namespace maas
