// Matrix products whose bits depend on (K, N, type) alone: not on the number of rows, strides, tile, thread,
// or SIMD target with FMA. N >= 16 (kNarrowCols): each output is one FMA chain along K, from zero (or from
// C). N < 16: the logical partials and fixed tree of kernels/narrow.h. Output NaNs are the canonical one.
#pragma once

#include <cstddef>

#include "maas/base/view.h"
#include "maas/kernels/packed_matrix.h"

namespace maas {

template <class T>
struct GemmOptions {
  bool accumulate = false;  // C += A·B instead of C = A·B
  const T* bias = nullptr;  // N values, added to each row of C after the whole sum
};

// C (a.rows × b.cols, row-major, ldc >= b.cols) = or += A·B. Any strides in A and B; C must not overlap them.
// Large products use the thread pool; small ones neither allocate nor copy B when its rows are contiguous.
void gemm(MatrixView<float> a, MatrixView<float> b, float* c, size_t ldc, GemmOptions<float> options = {});
void gemm(MatrixView<double> a, MatrixView<double> b, double* c, size_t ldc,
          GemmOptions<double> options = {});

// The same bits with B packed beforehand.
void gemm(MatrixView<float> a, const PackedMatrix<float>& b, float* c, size_t ldc,
          GemmOptions<float> options = {});
void gemm(MatrixView<double> a, const PackedMatrix<double>& b, double* c, size_t ldc,
          GemmOptions<double> options = {});

enum class Sign { kPlus, kMinus };
enum class Part { kAll, kUpper };

// C ±= A·B by one FMA chain an output whatever N is, for factorisations and Gram matrices. kUpper updates
// C(i, j) for j >= i at least; what lies below the diagonal is unspecified in tiles that touch it, untouched
// elsewhere. For the Gram matrix of a panel of columns (kernels/panel.h): A(i, k) = panel[i * ld + k], B =
// Aᵀ.
void gemm_update(MatrixView<float> a, MatrixView<float> b, float* c, size_t ldc, Sign sign, Part part);
void gemm_update(MatrixView<double> a, MatrixView<double> b, double* c, size_t ldc, Sign sign, Part part);

// y = or += X·w (+ bias[0]): gemm of one column.
template <class T>
void gemv(MatrixView<T> x, VectorView<T> w, T* y, GemmOptions<T> options = {}) {
  gemm(x, MatrixView<T>{w.data, w.size, 1, w.stride, 1}, y, 1, options);
}

}  // namespace maas
