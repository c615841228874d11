// Products of matrices: which are dense layers, and a step for the others.
#pragma once

#include <memory>

#include "maas/base/view.h"
#include "maas/program/step.h"

namespace maas {

// Whether MatMul or Gemm is rows times a constant float matrix plus, maybe, one constant value a column.
bool is_dense(const NodeView& view);

// Whether the constant (or null) is one value for each column of what it is combined with.
bool is_per_column(const Tensor* constant, int64_t columns);

// MatMul or Gemm in general: any operands, leading dimensions that broadcast, alpha, beta, transposes.
std::unique_ptr<Step> make_product(StepSpec& spec);

// A constant of two dimensions, or of one: a single column.
template <class T>
MatrixView<T> matrix_view(const Tensor& matrix, bool transposed) {
  const auto rows = static_cast<size_t>(matrix.shape()[0]);
  const size_t cols = matrix.shape().size() < 2 ? 1 : static_cast<size_t>(matrix.shape()[1]);
  const MatrixView<T> view{matrix.values<T>().data(), rows, cols, static_cast<ptrdiff_t>(cols), 1};
  return transposed ? view.transposed() : view;
}

}  // namespace maas
