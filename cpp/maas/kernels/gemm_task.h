// What one task of a matrix product computes, as gemm.cc hands it to the vector code.
#pragma once

#include <cstddef>

#include "maas/kernels/packed_matrix.h"

namespace maas {

// K is walked in blocks of this many, so that a sliver of B (64 KB) stays in the second-level cache while the
// rows of A pass by. It does not change a bit: the sum is stored to C and taken up again exactly.
inline constexpr size_t kBlockDepth = 256;
// Columns of B a task takes at most: 8 slivers of a block of K are 512 KB.
template <class T>
inline constexpr size_t kTaskCols = 8 * kSliver<T>;
inline constexpr size_t kTileRows = 6;
inline constexpr size_t kTaskRows = 32 * kTileRows;  // at most

// Values from one strip of kTileRows rows of a packed A to the next. A cache line more than the strip needs:
// at a multiple of 4 KB apart all strips would fight for the same lines of the first-level cache.
template <class T>
constexpr size_t strip_stride(size_t depth) {
  return depth * kTileRows + 64 / sizeof(T);
}

inline constexpr size_t kOneRun = static_cast<size_t>(-1);

template <class T>
struct GemmTask {
  const T* a;  // (i, k) at a[i * a_row + k * a_col], unless the last three members say otherwise
  ptrdiff_t a_row, a_col;
  const T* b;  // (k, j) at b[(j / W) * sliver_stride + k * ldb + j % W], W = kSliver<T>
  ptrdiff_t ldb;
  size_t sliver_stride;
  T* c;
  size_t ldc;
  size_t rows, cols, depth;
  bool accumulate;
  const T* bias;
  bool upper;          // tiles below the diagonal of C may be skipped:
  ptrdiff_t diagonal;  // c's first row minus its first column in the whole of C
  bool relu = false;   // max(., +0) of each finished output

  // C and the bias may be read and written to the end of a whole vector; there C becomes zero.
  bool zero_tail = false;
  // Column j of C is at c + (j / W) * c_sliver + j % W: `kSliver<T>` for plain rows.
  size_t c_sliver = kSliver<T>;
  // From one strip of kTileRows rows of A to the next, where A is packed in strips; 0: as a_row says.
  ptrdiff_t a_strip = 0;
  // A's columns lie in runs of a_run (a divisor of kBlockDepth), a_next from one to the next.
  size_t a_run = kOneRun;
  ptrdiff_t a_next = 0;

  // Rows from `row` (a multiple of kTileRows) and columns from `col` (of W), so many of each.
  GemmTask part(size_t row, size_t row_count, size_t col, size_t col_count) const {
    GemmTask task = *this;
    task.rows = row_count;
    task.cols = col_count;
    task.diagonal += static_cast<ptrdiff_t>(row) - static_cast<ptrdiff_t>(col);
    task.a += a_strip != 0 ? static_cast<ptrdiff_t>(row / kTileRows) * a_strip
                           : static_cast<ptrdiff_t>(row) * a_row;
    task.b += col / kSliver<T> * sliver_stride;
    task.c += row * ldc + col / kSliver<T> * c_sliver;
    if (bias != nullptr) task.bias += col;
    return task;
  }
};

}  // namespace maas
