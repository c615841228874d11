// Products with fewer than kNarrowCols output columns. Term k of an output goes to partial k mod
// kDotPartials<T> by FMA; partials p and p + half then meet, for half = kDotPartials/2, …, 2, 1; a last + 0
// makes the sign of an empty sum one. Rows are read once, at memory speed where that is the limit.
#pragma once

#include <cstddef>

#include "maas/base/view.h"

namespace maas {

template <class T>
struct NarrowOutput {
  T* c;  // row i at c + i * ldc
  size_t ldc;
  size_t cols;  // 1 … kNarrowCols - 1
  bool accumulate;
  const T* bias;  // or null
};

// w: packed by pack_narrow. On the calling thread.
void gemm_narrow(MatrixView<float> a, const float* w, NarrowOutput<float> out);
void gemm_narrow(MatrixView<double> a, const double* w, NarrowOutput<double> out);

}  // namespace maas
