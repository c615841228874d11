#include "maas/kernels/packed_matrix.h"

#include <algorithm>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "maas/kernels/packed_matrix.cc"
#include "hwy/foreach_target.h"
#include "hwy/highway.h"

HWY_BEFORE_NAMESPACE();
namespace maas {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

// One row of a sliver from `cols` contiguous values.
template <class T>
void copy_row(const T* from, size_t cols, bool negate, T* to) {
  const hn::ScalableTag<T> d;
  const auto sign = negate ? hn::Set(d, T{-0.0}) : hn::Zero(d);
  size_t j = 0;
  for (; j + hn::Lanes(d) <= cols; j += hn::Lanes(d))
    hn::Store(hn::Xor(hn::LoadU(d, from + j), sign), d, to + j);
  for (; j < cols; ++j) to[j] = negate ? -load_unaligned(from + j) : load_unaligned(from + j);
  for (; j < kSliver<T>; ++j) to[j] = T{0};
}

// A square of B values a side, B to a 128-bit block, from columns to rows. Wider vectors would not help: the
// stores, one a row, are what it waits for.
template <class D, class V = hn::Vec<D>, class T = hn::TFromD<D>>
void transpose_block(D d, const T* from, ptrdiff_t col_stride, V sign, T* to) {
  const auto column = [&](ptrdiff_t j)
                          HWY_ATTR { return hn::Xor(hn::LoadU(d, from + j * col_stride), sign); };
  if constexpr (sizeof(T) == 8) {
    const auto c0 = column(0), c1 = column(1);
    hn::Store(hn::InterleaveLower(d, c0, c1), d, to);
    hn::Store(hn::InterleaveUpper(d, c0, c1), d, to + kSliver<T>);
  } else {
    const auto c0 = column(0), c1 = column(1), c2 = column(2), c3 = column(3);
    const auto l02 = hn::InterleaveLower(d, c0, c2), l13 = hn::InterleaveLower(d, c1, c3);
    const auto u02 = hn::InterleaveUpper(d, c0, c2), u13 = hn::InterleaveUpper(d, c1, c3);
    hn::Store(hn::InterleaveLower(d, l02, l13), d, to);
    hn::Store(hn::InterleaveUpper(d, l02, l13), d, to + kSliver<T>);
    hn::Store(hn::InterleaveLower(d, u02, u13), d, to + 2 * kSliver<T>);
    hn::Store(hn::InterleaveUpper(d, u02, u13), d, to + 3 * kSliver<T>);
  }
}

template <class T>
void copy_elements(MatrixView<T> b, size_t row, size_t rows, size_t col, size_t cols, bool negate, T* out) {
  for (size_t k = row; k < row + rows; ++k) {
    for (size_t j = col; j < col + cols; ++j) out[k * kSliver<T> + j] = negate ? -b(k, j) : b(k, j);
  }
}

// Columns are contiguous: a cache line of each of a few columns at a time, whatever power of two they are
// apart.
template <class T>
void transpose_sliver(MatrixView<T> b, bool negate, T* out) {
  constexpr size_t kSide = 16 / sizeof(T);
  constexpr size_t kLine = 64 / sizeof(T);
  const hn::FixedTag<T, kSide> d;
  const auto sign = negate ? hn::Set(d, T{-0.0}) : hn::Zero(d);
  const size_t cols = b.cols / kSide * kSide;
  const size_t rows = b.rows / kLine * kLine;
  for (size_t k = 0; k < rows; k += kLine) {
    for (size_t j = 0; j < cols; j += kSide) {
      for (size_t r = k; r < k + kLine; r += kSide) {
        transpose_block(d, b.at(r, j), b.col_stride, sign, out + r * kSliver<T> + j);
      }
    }
  }
  copy_elements(b, rows, b.rows - rows, 0, cols, negate, out);
  copy_elements(b, 0, b.rows, cols, b.cols - cols, negate, out);
}

template <class T>
void pack(MatrixView<T> b, bool negate, T* out) {
  if (b.col_stride == 1) {
    for (size_t k = 0; k < b.rows; ++k) copy_row(b.at(k, 0), b.cols, negate, out + k * kSliver<T>);
    return;
  }
  if (b.row_stride == 1) {
    transpose_sliver(b, negate, out);
  } else {
    copy_elements(b, 0, b.rows, 0, b.cols, negate, out);
  }
  if (b.cols == kSliver<T>) return;
  for (size_t k = 0; k < b.rows; ++k) {
    std::fill(out + k * kSliver<T> + b.cols, out + (k + 1) * kSliver<T>, T{0});
  }
}

void pack_f32(const MatrixView<float>& b, bool negate, float* out) { pack(b, negate, out); }
void pack_f64(const MatrixView<double>& b, bool negate, double* out) { pack(b, negate, out); }

}  // namespace HWY_NAMESPACE
}  // namespace maas
HWY_AFTER_NAMESPACE();

#if HWY_ONCE

namespace maas {

HWY_EXPORT(pack_f32);
HWY_EXPORT(pack_f64);

void pack_sliver(MatrixView<float> b, bool negate, float* out) {
  HWY_DYNAMIC_DISPATCH(pack_f32)(b, negate, out);
}
void pack_sliver(MatrixView<double> b, bool negate, double* out) {
  HWY_DYNAMIC_DISPATCH(pack_f64)(b, negate, out);
}

template <class T>
void pack_narrow(MatrixView<T> b, T* out) {
  const size_t stride = narrow_stride<T>(b.rows);
  for (size_t j = 0; j < b.cols; ++j, out += stride) {
    for (size_t k = 0; k < b.rows; ++k) out[k] = b(k, j);
    std::fill(out + b.rows, out + stride, T{0});
  }
}
template void pack_narrow(MatrixView<float> b, float* out);
template void pack_narrow(MatrixView<double> b, double* out);

template <class T>
PackedMatrix<T>::PackedMatrix(MatrixView<T> b) : rows_(b.rows), cols_(b.cols) {
  if (cols_ < kNarrowCols) {
    data_ = KeptBuffer<T>(cols_ * narrow_stride<T>(rows_));
    pack_narrow(b, data_.data());
    return;
  }
  const size_t slivers = (cols_ + kSliver<T> - 1) / kSliver<T>;
  data_ = KeptBuffer<T>(slivers * rows_ * kSliver<T>);
  for (size_t s = 0; s < slivers; ++s) {
    const size_t col = s * kSliver<T>;
    const MatrixView<T> part{b.at(0, col), rows_, std::min(kSliver<T>, cols_ - col), b.row_stride,
                             b.col_stride};
    pack_sliver(part, false, data_.data() + col * rows_);
  }
}
template class PackedMatrix<float>;
template class PackedMatrix<double>;

}  // namespace maas
#endif  // HWY_ONCE
