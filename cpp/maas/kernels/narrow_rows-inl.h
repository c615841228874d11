// Narrow products of rows whose values are contiguous: vectors along K. Include per target.
#if defined(MAAS_KERNELS_NARROW_ROWS_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef MAAS_KERNELS_NARROW_ROWS_INL_H_
#undef MAAS_KERNELS_NARROW_ROWS_INL_H_
#else
#define MAAS_KERNELS_NARROW_ROWS_INL_H_
#endif

#include <algorithm>

#include "hwy/highway.h"
#include "maas/base/view.h"
#include "maas/kernels/narrow.h"
#include "maas/kernels/narrow_fold-inl.h"
#include "maas/kernels/packed_matrix.h"

HWY_BEFORE_NAMESPACE();
namespace maas {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

#if HWY_TARGET == HWY_AVX2 || HWY_TARGET == HWY_SSE4
inline constexpr size_t kRegisters = 16;
#else
inline constexpr size_t kRegisters = 32;
#endif

// The partials of kRows rows times kCols packed columns, each folded to one vector and stored: (r, c) at
// to + (r * to_stride + c) * lanes. kVectors vectors hold all partials that are not empty: fewer than the
// full set only when depth <= kVectors · lanes.
template <size_t kVectors, size_t kRows, size_t kCols, class T>
HWY_INLINE void dot_tile(const T* x, ptrdiff_t x_stride, const T* w, size_t depth, T* to, size_t to_stride) {
  const hn::ScalableTag<T> d;
  constexpr size_t kLanes = HWY_LANES(T);
  const size_t w_stride = narrow_stride<T>(depth);
  hn::Vec<decltype(d)> sum[kVectors][kRows][kCols];
  const auto multiply = [&](size_t v, size_t k, auto load) HWY_ATTR {
    hn::Vec<decltype(d)> column[kCols];
#pragma GCC unroll 2
    for (size_t c = 0; c < kCols; ++c) column[c] = hn::Load(d, w + c * w_stride + k);
#pragma GCC unroll 2
    for (size_t r = 0; r < kRows; ++r) {
      const auto row = load(x + static_cast<ptrdiff_t>(r) * x_stride + k);
#pragma GCC unroll 2
      for (size_t c = 0; c < kCols; ++c) sum[v][r][c] = hn::MulAdd(row, column[c], sum[v][r][c]);
    }
  };
  const auto whole = [d](const T* p) HWY_ATTR { return hn::LoadU(d, p); };
#pragma GCC unroll 16
  for (size_t v = 0; v < kVectors; ++v) {
    for (auto& row : sum[v]) {
      for (auto& partial : row) partial = hn::Zero(d);
    }
  }
  size_t k = 0;
  for (; k + kVectors * kLanes <= depth; k += kVectors * kLanes) {
#pragma GCC unroll 16
    for (size_t v = 0; v < kVectors; ++v) multiply(v, k + v * kLanes, whole);
  }
  if (k < depth) {  // all vectors of the last set, without branches: those with no value left add 0·0
#pragma GCC unroll 16
    for (size_t v = 0; v < kVectors; ++v, k += kLanes) {
      const size_t count = k < depth ? std::min(kLanes, depth - k) : 0;
      multiply(v, k, [d, count](const T* p) HWY_ATTR { return load_first(d, p, count); });
    }
  }
#pragma GCC unroll 16
  for (size_t half = kVectors / 2; half > 0; half /= 2) {
#pragma GCC unroll 16
    for (size_t v = 0; v < half; ++v) {
      for (size_t r = 0; r < kRows; ++r) {
        for (size_t c = 0; c < kCols; ++c) sum[v][r][c] = hn::Add(sum[v][r][c], sum[v + half][r][c]);
      }
    }
  }
  for (size_t r = 0; r < kRows; ++r) {
    for (size_t c = 0; c < kCols; ++c) hn::Store(sum[0][r][c], d, to + (r * to_stride + c) * kLanes);
  }
}

// Rows whose partials are folded together: whole vectors of outputs whatever the number of columns.
inline constexpr size_t kFoldRows = 16;

// Folds the partials of rows × out.cols outputs, row after row, and writes them to out.c.
template <class T>
void fold_rows(const T* partials, size_t rows, const NarrowOutput<T>& out) {
  const hn::ScalableTag<T> d;
  constexpr size_t kLanes = HWY_LANES(T);
  T bias[kNarrowCols + kLanes];  // that of the outputs from any column on
  for (size_t j = 0; out.bias != nullptr && j < out.cols + kLanes; ++j)
    bias[j] = j < out.cols ? load_unaligned(out.bias + j) : bias[j - out.cols];
  size_t row = 0, col = 0;
  const auto for_outputs = [&](size_t count, auto fn) {
    for (size_t p = 0, i = row, j = col; p < count; ++p) {
      fn(p, out.c + i * out.ldc + j);
      if (++j == out.cols) ++i, j = 0;
    }
  };
  for (size_t first = 0; first < rows * out.cols; first += kLanes) {
    const size_t count = std::min(kLanes, rows * out.cols - first);
    const bool whole = count == kLanes && out.ldc == out.cols;
    HWY_ALIGN T lanes[kLanes] = {};
    if (out.accumulate && !whole) for_outputs(count, [&](size_t p, const T* c) { lanes[p] = *c; });
    T* c = out.c + first;
    const auto old = !out.accumulate ? hn::Zero(d) : whole ? hn::LoadU(d, c) : hn::Load(d, lanes);
    const T* of = partials + first * kLanes;
    const auto tree =
        fold_lanes<kLanes>(d, [of, d](size_t p) HWY_ATTR { return hn::Load(d, of + p * kLanes); });
    const auto sum = finish_sums(d, tree, out.accumulate, old, out.bias == nullptr ? nullptr : bias + col);
    if (whole) {
      hn::StoreU(sum, d, c);
    } else {
      hn::Store(sum, d, lanes);
      for_outputs(count, [&](size_t p, T* at) { *at = lanes[p]; });
    }
    col += count;
    row += col / out.cols;
    col %= out.cols;
  }
}

// Two rows by two columns share their loads where the registers allow it.
template <size_t kVectors, class T>
HWY_NOINLINE void dot_rows(const MatrixView<T>& a, const T* w, NarrowOutput<T> out) {
  constexpr size_t kSide = kVectors * 8 <= kRegisters ? 2 : 1;
  constexpr size_t kLanes = HWY_LANES(T);
  const size_t w_stride = narrow_stride<T>(a.cols);
  // A fold takes a vector of outputs even where fewer are left; the others come to nothing.
  HWY_ALIGN T partials[kFoldRows * (kNarrowCols - 1) * kLanes];
  std::fill_n(partials, kLanes * kLanes, T{0});
  for (size_t i = 0; i < a.rows; i += kFoldRows, out.c += kFoldRows * out.ldc) {
    const size_t rows = std::min(kFoldRows, a.rows - i);
    for (size_t j = 0; j < out.cols; j += kSide) {
      for (size_t r = 0; r < rows; r += kSide) {
        const T* x = a.at(i + r, 0);
        const T* column = w + j * w_stride;
        T* to = partials + (r * out.cols + j) * kLanes;
        const bool two_rows = kSide == 2 && r + 1 < rows, two_cols = kSide == 2 && j + 1 < out.cols;
        if (two_rows && two_cols) {
          dot_tile<kVectors, kSide, kSide>(x, a.row_stride, column, a.cols, to, out.cols);
        } else if (two_rows) {
          dot_tile<kVectors, kSide, 1>(x, a.row_stride, column, a.cols, to, out.cols);
        } else if (two_cols) {
          dot_tile<kVectors, 1, kSide>(x, a.row_stride, column, a.cols, to, out.cols);
        } else {
          dot_tile<kVectors, 1, 1>(x, a.row_stride, column, a.cols, to, out.cols);
        }
      }
    }
    fold_rows(partials, rows, out);
  }
}

// One output column and rows of at most kHalves half vectors (the last may be partial): all partials of two
// rows side by side, so that the first step of the tree needs no shuffles and loads seldom cross a cache
// line, wherever rows begin. Whole batches of rows; returns the rows done. Half vectors beyond kHalves are
// empty partials.
template <size_t kHalves, class T>
HWY_NOINLINE size_t dot_short_rows(const MatrixView<T>& a, const T* w, const NarrowOutput<T>& out) {
  const hn::ScalableTag<T> d;
  const hn::Half<decltype(d)> dh;
  constexpr size_t kLanes = HWY_LANES(T), kHalf = kLanes / 2;
  using V = hn::Vec<decltype(d)>;
  V weights[kHalves];
  for (size_t h = 0; h < kHalves; ++h) {
    const auto half = hn::Load(dh, w + h * kHalf);
    weights[h] = hn::Combine(d, half, half);
  }
  const size_t rest = a.cols - (kHalves - 1) * kHalf;
  HWY_ALIGN T bias[kLanes];
  if (out.bias != nullptr) hn::Store(hn::Set(d, load_unaligned(out.bias)), d, bias);
  size_t i = 0;
  for (; i + kLanes <= a.rows; i += kLanes) {
    const T* rows = a.at(i, 0);
    const auto dot_two = [&](size_t p, size_t q) HWY_ATTR {
      const T* x = rows + static_cast<ptrdiff_t>(p) * a.row_stride;
      const T* y = rows + static_cast<ptrdiff_t>(q) * a.row_stride;
      V sum[kHalves];
      for (size_t h = 0; h + 1 < kHalves; ++h) {
        const V both = hn::Combine(d, hn::LoadU(dh, y + h * kHalf), hn::LoadU(dh, x + h * kHalf));
        sum[h] = hn::MulAdd(both, weights[h], hn::Zero(d));
      }
      constexpr size_t kLast = kHalves - 1;
      const V both =
          hn::Combine(d, load_first(dh, y + kLast * kHalf, rest), load_first(dh, x + kLast * kHalf, rest));
      sum[kLast] = hn::MulAdd(both, weights[kLast], hn::Zero(d));
      for (size_t half = kDotPartials<T> / kHalf / 2; half > 0; half /= 2) {
        for (size_t h = 0; h < half && h + half < kHalves; ++h) sum[h] = hn::Add(sum[h], sum[h + half]);
      }
      return sum[0];
    };
    T* c = out.c + i;
    const V old = out.accumulate ? hn::LoadU(d, c) : hn::Zero(d);
    const V sum = fold_lane_pairs<kLanes>(d, dot_two);
    hn::StoreU(finish_sums(d, sum, out.accumulate, old, out.bias == nullptr ? nullptr : bias), d, c);
  }
  return i;
}

template <class T>
size_t run_short_rows(const MatrixView<T>& a, const T* w, const NarrowOutput<T>& out) {
  constexpr size_t kLanes = HWY_LANES(T), kHalf = kLanes / 2;
  if (out.cols != 1 || out.ldc != 1 || a.cols == 0 || a.rows < kLanes) return 0;
  switch ((a.cols + kHalf - 1) / kHalf) {
    case 1: return dot_short_rows<1>(a, w, out);
    case 2: return dot_short_rows<2>(a, w, out);
    case 3: return dot_short_rows<3>(a, w, out);
    case 4: return dot_short_rows<4>(a, w, out);
    case 5: return dot_short_rows<5>(a, w, out);
    case 6: return dot_short_rows<6>(a, w, out);
    case 7: return dot_short_rows<7>(a, w, out);
    case 8: return dot_short_rows<8>(a, w, out);
    default: return 0;
  }
}

// Rows whose values are contiguous: vectors along K.
template <class T>
void run_rows(MatrixView<T> a, const T* w, NarrowOutput<T> out) {
  constexpr size_t kLanes = HWY_LANES(T);
  constexpr size_t kAll = kDotPartials<T> / kLanes;
  const size_t done = run_short_rows(a, w, out);
  if (done == a.rows) return;
  a = a.row_range(done, a.rows);
  out.c += done * out.ldc;
  if (a.cols <= kLanes) return dot_rows<1>(a, w, out);
  if constexpr (kAll > 2) {
    if (a.cols <= 2 * kLanes) return dot_rows<2>(a, w, out);
  }
  if constexpr (kAll > 4) {
    if (a.cols <= 4 * kLanes) return dot_rows<4>(a, w, out);
  }
  dot_rows<kAll>(a, w, out);
}

}  // namespace HWY_NAMESPACE
}  // namespace maas
HWY_AFTER_NAMESPACE();

#endif  // MAAS_KERNELS_NARROW_ROWS_INL_H_
