// Vector code of gemm: one task's rows × columns of C, over all of K. Include per target.
#if defined(MAAS_KERNELS_GEMM_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef MAAS_KERNELS_GEMM_INL_H_
#undef MAAS_KERNELS_GEMM_INL_H_
#else
#define MAAS_KERNELS_GEMM_INL_H_
#endif

#include <algorithm>
#include <cstring>

#include "hwy/highway.h"
#include "maas/base/view.h"
#include "maas/kernels/canonical-inl.h"
#include "maas/kernels/gemm_task.h"

HWY_BEFORE_NAMESPACE();
namespace maas {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

// 6 rows × 4 vectors need 29 registers; targets with 16 take 6 × 2. 24 (12) independent chains hide the
// latency of FMA, and a tile reads 10 (8) operands for them, well under what two load ports give.
#if HWY_TARGET == HWY_AVX2 || HWY_TARGET == HWY_SSE4
inline constexpr size_t kTileVectors = 2;
#else
inline constexpr size_t kTileVectors = 4;
#endif

template <class T>
struct Tile {
  size_t depth;
  const T* a;  // (i, k) at a[i * a_row + k * a_col]
  ptrdiff_t a_row, a_col;
  const T* b;  // (k, j) at b[k * ldb + j]
  ptrdiff_t ldb;
  T* c;
  size_t ldc;
  bool load;      // continue the sum found in C
  bool last;      // no further block of K follows: add bias, make NaNs canonical
  const T* bias;  // or null
  bool relu;      // last of all
  // A's columns lie in runs of this many, and so far is it from the end of one to the next.
  size_t a_run = kOneRun;
  ptrdiff_t a_skip = 0;
};

// Finished sums: bias, canonical NaNs, and ReLU if asked; to C.
template <bool kRelu, size_t kRows, size_t kVectors, class D, class T = hn::TFromD<D>>
HWY_INLINE void finish_tile(D d, const Tile<T>& t, const hn::Vec<D> (&sum)[kRows][kVectors]) {
  constexpr size_t kLanes = HWY_LANES(T);
  T* c = t.c;
  const size_t ldc = t.ldc;
  const T* bias = t.bias;
  hn::Vec<D> shift[kVectors];
#pragma GCC unroll 8
  for (size_t v = 0; v < kVectors; ++v) {  // adding -0 changes nothing
    shift[v] = bias == nullptr ? hn::Set(d, T{-0.0}) : hn::LoadU(d, bias + v * kLanes);
  }
#pragma GCC unroll 8
  for (size_t i = 0; i < kRows; ++i) {
#pragma GCC unroll 8
    for (size_t v = 0; v < kVectors; ++v) {
      const auto y = hn::Add(sum[i][v], shift[v]);
      hn::StoreU(kRelu ? CanonicalRelu(d, y) : Canonical(d, y), d, c + i * ldc + v * kLanes);
    }
  }
}

template <size_t kRows, size_t kVectors, class T>
HWY_NOINLINE void run_tile(const Tile<T>& t) {
  const hn::ScalableTag<T> d;
  constexpr size_t kLanes = HWY_LANES(T);
  hn::Vec<decltype(d)> sum[kRows][kVectors];
#pragma GCC unroll 8
  for (size_t i = 0; i < kRows; ++i) {
#pragma GCC unroll 8
    for (size_t v = 0; v < kVectors; ++v) {
      sum[i][v] = t.load ? hn::LoadU(d, t.c + i * t.ldc + v * kLanes) : hn::Zero(d);
    }
  }
  const T* a = t.a;
  const T* b = t.b;
  const ptrdiff_t a_row = t.a_row, a_col = t.a_col, ldb = t.ldb;
  for (size_t left = t.depth, run; left > 0; left -= run, a += t.a_skip) {
    run = std::min(left, t.a_run);
    for (size_t k = 0; k < run; ++k, a += a_col, b += ldb) {
      hn::Vec<decltype(d)> row[kVectors];
#pragma GCC unroll 8
      for (size_t v = 0; v < kVectors; ++v) row[v] = hn::LoadU(d, b + v * kLanes);
#pragma GCC unroll 8
      for (size_t i = 0; i < kRows; ++i) {
        const auto x = hn::Set(d, load_unaligned(a + static_cast<ptrdiff_t>(i) * a_row));
#pragma GCC unroll 8
        for (size_t v = 0; v < kVectors; ++v) sum[i][v] = hn::MulAdd(x, row[v], sum[i][v]);
      }
    }
  }
  if (t.last && t.relu) return finish_tile<true>(d, t, sum);
  if (t.last) return finish_tile<false>(d, t, sum);
#pragma GCC unroll 8
  for (size_t i = 0; i < kRows; ++i) {
#pragma GCC unroll 8
    for (size_t v = 0; v < kVectors; ++v) hn::StoreU(sum[i][v], d, t.c + i * t.ldc + v * kLanes);
  }
}

template <class T>
using TileFn = void (*)(const Tile<T>&);

template <size_t kVectors, class T>
TileFn<T> tile_for_rows(size_t rows) {
  static constexpr TileFn<T> kTable[kTileRows] = {run_tile<1, kVectors, T>, run_tile<2, kVectors, T>,
                                                  run_tile<3, kVectors, T>, run_tile<4, kVectors, T>,
                                                  run_tile<5, kVectors, T>, run_tile<6, kVectors, T>};
  return kTable[rows - 1];
}

template <class T>
TileFn<T> find_tile(size_t rows, size_t vectors) {
  if (vectors == 1) return tile_for_rows<1, T>(rows);
  if (vectors == 2) return tile_for_rows<2, T>(rows);
  if constexpr (kTileVectors == 4) {
    return vectors == 3 ? tile_for_rows<3, T>(rows) : tile_for_rows<4, T>(rows);
  }
  return nullptr;
}

// A tile whose last vector reaches past the last column of C: runs on a copy of its own.
template <class T>
void run_edge_tile(Tile<T> t, size_t rows, size_t cols) {
  constexpr size_t kWidth = kTileVectors * HWY_LANES(T);
  const size_t vectors = (cols + HWY_LANES(T) - 1) / HWY_LANES(T);
  T copy[kTileRows * kWidth];
  T bias[kWidth] = {};
  T* c = t.c;
  if (t.load) {
    std::memset(copy, 0, sizeof(copy));
    for (size_t i = 0; i < rows; ++i) std::memcpy(copy + i * kWidth, c + i * t.ldc, cols * sizeof(T));
  }
  if (t.bias != nullptr) {
    std::memcpy(bias, t.bias, cols * sizeof(T));
    t.bias = bias;
  }
  const size_t ldc = t.ldc;
  t.c = copy;
  t.ldc = kWidth;
  find_tile<T>(rows, vectors)(t);
  for (size_t i = 0; i < rows; ++i) std::memcpy(c + i * ldc, copy + i * kWidth, cols * sizeof(T));
}

// The same where C has room for the whole vector.
template <class T>
void run_padded_tile(const Tile<T>& t, size_t rows, size_t cols) {
  const hn::ScalableTag<T> d;
  constexpr size_t kLanes = HWY_LANES(T);
  find_tile<T>(rows, (cols + kLanes - 1) / kLanes)(t);
  const auto mask = hn::FirstN(d, cols % kLanes);
  T* tail = t.c + cols / kLanes * kLanes;
  for (size_t i = 0; i < rows; ++i, tail += t.ldc) {
    hn::StoreU(hn::IfThenElseZero(mask, hn::LoadU(d, tail)), d, tail);
  }
}

// All columns of one strip of at most kTileRows rows, one block of K. `t` is used up: a copy of what has just
// been written field by field would wait for the stores.
template <class T>
void run_strip(const GemmTask<T>& task, Tile<T>& t, const T* b, size_t first_row, size_t rows) {
  constexpr size_t kLanes = HWY_LANES(T);
  constexpr size_t kWidth = kTileVectors * kLanes;
  T* c = t.c;
  // Tiles entirely below the diagonal are skipped.
  const ptrdiff_t diagonal = static_cast<ptrdiff_t>(first_row) + task.diagonal;
  const size_t skip = task.upper && diagonal > 0 ? static_cast<size_t>(diagonal) / kWidth * kWidth : 0;
  for (size_t j = skip; j < task.cols; j += kWidth) {
    const size_t cols = std::min(kWidth, task.cols - j);
    t.b = b + (j / kSliver<T>)*task.sliver_stride + j % kSliver<T>;
    t.c = c + j / kSliver<T> * task.c_sliver + j % kSliver<T>;
    t.bias = task.bias == nullptr ? nullptr : task.bias + j;
    if (cols % kLanes == 0) {
      find_tile<T>(rows, cols / kLanes)(t);
    } else if (task.zero_tail) {
      run_padded_tile(t, rows, cols);
    } else {
      run_edge_tile(t, rows, cols);
    }
  }
}

// Copies a block of A into strips of kTileRows: (i, k) of a strip at k * kTileRows + i. For A whose columns
// are far apart a strip in place would touch a page for each k.
template <class T>
void pack_strips(const T* a, ptrdiff_t a_row, ptrdiff_t a_col, size_t rows, size_t depth, T* out) {
  for (size_t k = 0; k < depth; ++k) {
    const T* column = a + static_cast<ptrdiff_t>(k) * a_col;
    T* to = out + k * kTileRows;
    size_t i = 0;
    for (; i + kTileRows <= rows; i += kTileRows, to += strip_stride<T>(depth)) {
      if (a_row == 1) {
        std::memcpy(to, column + i, kTileRows * sizeof(T));
        continue;
      }
      for (size_t r = 0; r < kTileRows; ++r) {
        to[r] = load_unaligned(column + static_cast<ptrdiff_t>(i + r) * a_row);
      }
    }
    for (size_t r = 0; i + r < rows; ++r)
      to[r] = load_unaligned(column + static_cast<ptrdiff_t>(i + r) * a_row);
  }
}

// `strips`: memory to pack A into, or null to read it in place.
template <class T>
void run_gemm_task(const GemmTask<T>& task, T* strips) {
  const bool runs = task.a_run != kOneRun;
  ptrdiff_t a_strip = task.a_strip != 0 ? task.a_strip : static_cast<ptrdiff_t>(kTileRows) * task.a_row;
  for (size_t k = 0; k < std::max<size_t>(task.depth, 1); k += kBlockDepth) {
    const size_t depth = std::min(kBlockDepth, task.depth - k);
    const T* a = task.a + (runs ? static_cast<ptrdiff_t>(k / task.a_run) * task.a_next
                                : static_cast<ptrdiff_t>(k) * task.a_col);
    Tile<T> t{.depth = depth,
              .a = a,
              .a_row = task.a_row,
              .a_col = task.a_col,
              .b = nullptr,
              .ldb = task.ldb,
              .c = nullptr,
              .ldc = task.ldc,
              .load = task.accumulate || k > 0,
              .last = k + depth == task.depth,
              .bias = nullptr,
              .relu = task.relu,
              .a_run = task.a_run,
              .a_skip = runs ? task.a_next - static_cast<ptrdiff_t>(task.a_run) * task.a_col : 0};
    if (strips != nullptr) {
      pack_strips(a, task.a_row, task.a_col, task.rows, depth, strips);
      t.a_row = 1;
      t.a_col = kTileRows;
      a = strips;
      a_strip = static_cast<ptrdiff_t>(strip_stride<T>(depth));
    }
    for (size_t i = 0; i < task.rows; i += kTileRows) {
      t.a = a + static_cast<ptrdiff_t>(i / kTileRows) * a_strip;
      t.c = task.c + i * task.ldc;
      run_strip(task, t, task.b + static_cast<ptrdiff_t>(k) * task.ldb, i,
                std::min(kTileRows, task.rows - i));
    }
  }
}

}  // namespace HWY_NAMESPACE
}  // namespace maas
HWY_AFTER_NAMESPACE();

#endif  // MAAS_KERNELS_GEMM_INL_H_
