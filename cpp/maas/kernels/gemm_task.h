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

template <class T>
struct GemmTask {
  const T* a;
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
};

}  // namespace maas
