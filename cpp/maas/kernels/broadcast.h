// Functions of several operands over rows × cols values, where an operand may be one row for all rows, one
// value a row, or one value for all. Operands that are not laid out like the result are spread out a piece at
// a time (2 KB, in the first-level cache), so that every function is written once, for contiguous arrays.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <tuple>

#include "maas/base/aligned.h"
#include "maas/kernels/elementwise.h"

namespace maas {

// Value (i, j) at data[i * row_stride + (single ? 0 : j)]; a row_stride of 0 repeats one row.
template <class T>
struct Operand2d {
  const T* data;
  size_t row_stride;
  bool single = false;

  bool is_contiguous(size_t cols) const { return row_stride == cols && (!single || cols == 1); }
};

// One operand's values for a group of rows and a range of columns, contiguous.
template <class T>
class SpreadOperand {
 public:
  static constexpr size_t kValues = 2048 / sizeof(T);

  explicit SpreadOperand(const Operand2d<T>& from) : from_(from) {}

  const T* values(size_t row, size_t rows, size_t col, size_t cols, size_t all_cols) {
    const T* first = from_.data + row * from_.row_stride + (from_.single ? 0 : col);
    if (from_.is_contiguous(all_cols) || (rows == 1 && !from_.single)) return first;
    if (from_.row_stride == 0 && col == col_ && rows * cols <= filled_) return values_;
    for (size_t i = 0; i < rows; ++i, first += from_.row_stride) {
      if (from_.single) {
        std::fill_n(values_ + i * cols, cols, *first);
      } else {
        std::copy_n(first, cols, values_ + i * cols);
      }
    }
    col_ = col, filled_ = rows * cols;
    return values_;
  }

 private:
  Operand2d<T> from_;
  size_t col_ = 0, filled_ = 0;
  alignas(kAlignment) T values_[kValues];
};

// fn(first, n, const T*...) for pieces that cover all rows × cols values in row-major order: values
// [first, first + n) of each operand.
template <class Fn, class... T>
void for_pieces(size_t rows, size_t cols, const Fn& fn, const Operand2d<T>&... operands) {
  if (rows == 0 || cols == 0) return;
  if ((operands.is_contiguous(cols) && ...)) return fn(size_t{0}, rows * cols, operands.data...);
  constexpr size_t kPiece = std::min({SpreadOperand<T>::kValues...});
  const size_t width = std::min(cols, kPiece), height = std::max<size_t>(1, kPiece / cols);
  std::tuple<SpreadOperand<T>...> spread(operands...);
  for (size_t j = 0; j < cols; j += width) {
    const size_t count = std::min(width, cols - j);
    for (size_t i = 0; i < rows; i += height) {
      const size_t group = std::min(height, rows - i);
      std::apply(
          [&](auto&... one) { fn(i * cols + j, group * count, one.values(i, group, j, count, cols)...); },
          spread);
    }
  }
}

// out[i, j] = op(x(i, j), y(i, j)); `out` contiguous, and may be an operand that is laid out like it.
template <class T>
void map2_rows(MapFn<T> fn, size_t rows, size_t cols, const Operand2d<T>& x, const Operand2d<T>& y, T* out,
               T p = 0, T q = 0) {
  for_pieces(
      rows, cols, [=](size_t first, size_t n, const T* a, const T* b) { fn(n, a, b, out + first, p, q); }, x,
      y);
}
template <class T>
void map2_rows(MapOp op, size_t rows, size_t cols, const Operand2d<T>& x, const Operand2d<T>& y, T* out,
               T p = 0, T q = 0) {
  map2_rows(find_map<T>(op), rows, cols, x, y, out, p, q);
}

}  // namespace maas
