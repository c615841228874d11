#include "maas/kernels/narrow.h"

#include <algorithm>

#include "maas/base/aligned.h"
#include "maas/kernels/packed_matrix.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "maas/kernels/narrow.cc"
#include "hwy/foreach_target.h"
#include "hwy/highway.h"
#include "maas/kernels/narrow_columns-inl.h"
#include "maas/kernels/narrow_rows-inl.h"

HWY_BEFORE_NAMESPACE();
namespace maas {
namespace HWY_NAMESPACE {

template <class T>
NarrowOutput<T> rows_from(NarrowOutput<T> out, size_t row) {
  out.c += row * out.ldc;
  return out;
}

// Any strides: a few rows at a time through a contiguous copy.
template <class T>
void run_copied_rows(const MatrixView<T>& a, const T* w, const NarrowOutput<T>& out) {
  const size_t chunk = std::min(a.rows, 1 + 4096 / (a.cols + 1));
  AlignedBuffer<T> copy(chunk * a.cols);
  for (size_t i = 0; i < a.rows; i += chunk) {
    const size_t rows = std::min(chunk, a.rows - i);
    for (size_t r = 0; r < rows; ++r) {
      for (size_t k = 0; k < a.cols; ++k) copy[r * a.cols + k] = a(i + r, k);
    }
    const MatrixView<T> part{copy.data(), rows, a.cols, static_cast<ptrdiff_t>(a.cols), 1};
    run_rows(part, w, rows_from(out, i));
  }
}

template <class T>
void run_narrow(const MatrixView<T>& a, const T* w, const NarrowOutput<T>& out) {
  constexpr size_t kLanes = HWY_LANES(T);
  constexpr size_t kVectors = 4;
  const bool by_columns = a.row_stride == 1 && a.rows >= kLanes && (a.col_stride != 1 || a.cols == 1);
  if (!by_columns && (a.col_stride == 1 || a.cols <= 1)) return run_rows(a, w, out);
  size_t i = 0;
  if (by_columns) {
    for (; i + kVectors * kLanes <= a.rows; i += kVectors * kLanes) {
      sum_columns<kVectors>(a.at(i, 0), a.col_stride, a.cols, w, rows_from(out, i));
    }
    for (; i + kLanes <= a.rows; i += kLanes) {
      sum_columns<1>(a.at(i, 0), a.col_stride, a.cols, w, rows_from(out, i));
    }
  }
  if (i < a.rows) run_copied_rows(a.row_range(i, a.rows), w, rows_from(out, i));
}

void narrow_f32(const MatrixView<float>& a, const float* w, const NarrowOutput<float>& out) {
  run_narrow(a, w, out);
}
void narrow_f64(const MatrixView<double>& a, const double* w, const NarrowOutput<double>& out) {
  run_narrow(a, w, out);
}

}  // namespace HWY_NAMESPACE
}  // namespace maas
HWY_AFTER_NAMESPACE();

#if HWY_ONCE

namespace maas {

HWY_EXPORT(narrow_f32);
HWY_EXPORT(narrow_f64);

void gemm_narrow(MatrixView<float> a, const float* w, NarrowOutput<float> out) {
  HWY_DYNAMIC_DISPATCH(narrow_f32)(a, w, out);
}
void gemm_narrow(MatrixView<double> a, const double* w, NarrowOutput<double> out) {
  HWY_DYNAMIC_DISPATCH(narrow_f64)(a, w, out);
}

}  // namespace maas
#endif  // HWY_ONCE
