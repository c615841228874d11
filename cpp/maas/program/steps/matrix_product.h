// One matrix times another where both are known in a run only. Floating-point products have the bits of
// kernels/gemm.h; integers wrap around.
#pragma once

#include <algorithm>
#include <cstddef>
#include <type_traits>

#include "maas/base/view.h"
#include "maas/kernels/dense.h"
#include "maas/kernels/packed_matrix.h"

namespace maas {

template <class T>
class MatrixProduct {
 public:
  MatrixProduct(size_t depth, size_t cols) : depth_(depth), cols_(cols) {}

  size_t packed_values() const { return depth_ * cols_; }
  void pack(MatrixView<T> b, T* packed) const noexcept {
    for (size_t k = 0; k < depth_; ++k) {
      for (size_t j = 0; j < cols_; ++j) packed[k * cols_ + j] = b(k, j);
    }
  }
  // `a`: contiguous rows.
  void multiply(const T* a, size_t rows, const T* packed, T* out) const noexcept {
    using Bits = std::make_unsigned_t<T>;
    for (size_t i = 0; i < rows; ++i, out += cols_) {
      std::fill(out, out + cols_, T{0});
      for (size_t k = 0; k < depth_; ++k) {
        const auto x = static_cast<Bits>(a[i * depth_ + k]);
        const T* row = packed + k * cols_;
        for (size_t j = 0; j < cols_; ++j) {
          out[j] = static_cast<T>(static_cast<Bits>(out[j]) + x * static_cast<Bits>(row[j]));
        }
      }
    }
  }

 private:
  size_t depth_, cols_;
};

template <class T>
  requires std::is_floating_point_v<T>
class MatrixProduct<T> {
 public:
  MatrixProduct(size_t depth, size_t cols) : depth_(depth), cols_(cols) {
    if (depth == 0 || cols == 0) return;
    const AlignedBuffer<T> zeros(depth * cols, T{0});
    shape_ = PackedMatrix<T>({zeros.data(), depth, cols, static_cast<ptrdiff_t>(cols), 1});
    DenseSpec<T> spec;
    spec.weights = &shape_;
    dense_ = Dense<T>(spec);
  }

  size_t packed_values() const {
    if (cols_ < kNarrowCols) return cols_ * narrow_stride<T>(depth_);
    return (cols_ + kSliver<T> - 1) / kSliver<T> * kSliver<T> * depth_;
  }
  void pack(MatrixView<T> b, T* packed) const noexcept {
    if (cols_ < kNarrowCols) return pack_narrow(b, packed);
    for (size_t j = 0; j < cols_; j += kSliver<T>) {
      const MatrixView<T> sliver{b.at(0, j), depth_, std::min(kSliver<T>, cols_ - j), b.row_stride,
                                 b.col_stride};
      pack_sliver(sliver, false, packed + j * depth_);
    }
  }
  void multiply(const T* a, size_t rows, const T* packed, T* out) const noexcept {
    if (depth_ == 0) std::fill(out, out + rows * cols_, T{0});
    if (depth_ == 0 || cols_ == 0) return;
    dense_.run_with(packed, a, rows, depth_, out, cols_, nullptr);
  }

 private:
  size_t depth_, cols_;
  PackedMatrix<T> shape_;
  Dense<T> dense_;
};

}  // namespace maas
