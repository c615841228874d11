// A part of the rows, from which solvers learn where to start and how the objective is curved.
#pragma once

#include <cstddef>

#include "maas/base/aligned.h"
#include "maas/linear/row_objective.h"

namespace maas {

// Rows of the sample that a Hessian is taken from: enough for the step error sqrt(parameters / rows) to be
// small, few enough for the Hessian and its factors to cost about 16 passes at most, or next to nothing. 0:
// too many columns for the rows, do without.
size_t sample_rows(size_t rows, size_t columns, size_t outputs);

// The stride that takes about `wanted` of the rows. Odd, so that rows which alternate in some pattern of 2,
// 4, ... are all met.
inline size_t sample_stride(size_t rows, size_t wanted) { return (rows / wanted - 1) / 2 * 2 + 1; }

// Every stride-th row, copied so that the passes over the sample read memory in order.
template <class T>
class RowSample {
 public:
  RowSample(const WeightedRows<T>& rows, size_t stride);
  const WeightedRows<T>& rows() const { return rows_; }

 private:
  WeightedRows<T> rows_;
  AlignedBuffer<T> copy_;
};

}  // namespace maas
