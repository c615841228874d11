// A K×N matrix laid out for gemm: slivers of 256 bytes a row, so the layout is one for every SIMD target.
// Sliver s holds columns [s·W, s·W + W): element (k, j) is at (s·K + k)·W + j mod W, W = kSliver<T>; the last
// sliver is padded with zero columns. Fewer than kNarrowCols columns: one column after another instead,
// each padded with zeros to a multiple of kDotPartials<T>, as the products by partials read them.
#pragma once

#include <cstddef>

#include "maas/base/kept_memory.h"
#include "maas/base/view.h"

namespace maas {

// Products with fewer output columns than this are summed by partials.
inline constexpr size_t kNarrowCols = 16;

template <class T>
inline constexpr size_t kSliver = 256 / sizeof(T);

// Logical partials of a sum along K: term k belongs to partial k mod kDotPartials.
template <class T>
inline constexpr size_t kDotPartials = 256 / sizeof(T);

// Immutable after construction, so threads may share it.
template <class T>
class PackedMatrix {
 public:
  PackedMatrix() = default;
  explicit PackedMatrix(MatrixView<T> b);

  size_t rows() const { return rows_; }
  size_t cols() const { return cols_; }
  const T* data() const { return data_.data(); }

 private:
  size_t rows_ = 0;
  size_t cols_ = 0;
  KeptBuffer<T> data_;
};

extern template class PackedMatrix<float>;
extern template class PackedMatrix<double>;

// One sliver: b has at most kSliver<T> columns; out takes b.rows × kSliver<T> values.
void pack_sliver(MatrixView<float> b, bool negate, float* out);
void pack_sliver(MatrixView<double> b, bool negate, double* out);

// Values from one narrow column to the next, and all narrow columns.
template <class T>
constexpr size_t narrow_stride(size_t depth) {
  return (depth + kDotPartials<T> - 1) / kDotPartials<T> * kDotPartials<T>;
}
template <class T>
void pack_narrow(MatrixView<T> b, T* out);

}  // namespace maas
