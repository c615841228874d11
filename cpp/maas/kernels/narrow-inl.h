// Vector code of the narrow products (kernels/narrow.h has the order of the sums). Include per target.
#if defined(MAAS_KERNELS_NARROW_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef MAAS_KERNELS_NARROW_INL_H_
#undef MAAS_KERNELS_NARROW_INL_H_
#else
#define MAAS_KERNELS_NARROW_INL_H_
#endif

#include <algorithm>
#include <cstring>
#include <limits>

#include "hwy/cache_control.h"
#include "hwy/highway.h"
#include "maas/base/aligned.h"
#include "maas/base/view.h"
#include "maas/kernels/narrow.h"
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

// The first n <= Lanes(d) values at p, then zeros; nothing beyond them is read.
template <class D, class T = hn::TFromD<D>>
HWY_INLINE hn::Vec<D> load_first(D d, const T* p, size_t n) {
#if HWY_TARGET == HWY_AVX3 || HWY_TARGET == HWY_AVX2
  return hn::MaskedLoad(hn::FirstN(d, n), d, p);  // these two suppress faults of masked lanes
#else
  HWY_ALIGN T copy[HWY_LANES(T)] = {};
  std::memcpy(copy, p, n * sizeof(T));
  return hn::Load(d, copy);
#endif
}

// Lane l of u and of v plus lane l + kHalf of the same, in groups of 2·kHalf lanes: u's sums, then v's.
template <size_t kHalf, class D, class V = hn::Vec<D>, class T = hn::TFromD<D>>
HWY_INLINE V fold_pair(D d, V u, V v) {
  constexpr size_t kBytes = kHalf * sizeof(T);
  if constexpr (kBytes == 32) {
    return hn::Add(hn::ConcatLowerLower(d, v, u), hn::ConcatUpperUpper(d, v, u));
  } else if constexpr (kBytes == 16) {
    return hn::Add(hn::OddEvenBlocks(hn::SwapAdjacentBlocks(v), u),
                   hn::OddEvenBlocks(v, hn::SwapAdjacentBlocks(u)));
  } else if constexpr (kBytes == 8) {
    const hn::Repartition<double, D> d64;
    const auto u64 = hn::BitCast(d64, u), v64 = hn::BitCast(d64, v);
    return hn::Add(hn::BitCast(d, hn::InterleaveLower(d64, u64, v64)),
                   hn::BitCast(d, hn::InterleaveUpper(d64, u64, v64)));
  } else {
    return hn::Add(hn::OddEven(hn::DupEven(v), u), hn::OddEven(v, hn::DupOdd(u)));
  }
}

constexpr size_t reverse_bits(size_t i, size_t count) {
  size_t reversed = 0;
  for (size_t bit = 1; bit < count; bit *= 2) reversed = reversed * 2 + (i & bit ? 1 : 0);
  return reversed;
}

// The trees of Lanes(d) sums at once: result lane i is the tree over the lanes of leaf(i). Folding pairs
// leaves sum i in the lane with i's bits reversed, so the pairs start from reversed places.
template <size_t kCount, class D, class Leaf>
HWY_INLINE hn::Vec<D> fold_lanes(D d, const Leaf& leaf, size_t first = 0) {
  constexpr size_t kLanes = HWY_LANES(hn::TFromD<D>);
  if constexpr (kCount == 1) {
    return leaf(reverse_bits(first, kLanes));
  } else {
    return fold_pair<kLanes / kCount>(d, fold_lanes<kCount / 2>(d, leaf, first),
                                      fold_lanes<kCount / 2>(d, leaf, first + kCount / 2));
  }
}

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

// Adds to C or sets it, then bias, then makes NaNs canonical: on a vector of finished sums.
template <class D, class V = hn::Vec<D>, class T = hn::TFromD<D>>
HWY_INLINE V finish_sums(D d, V sum, bool accumulate, V c, const T* bias) {
  sum = hn::Add(sum, hn::Zero(d));
  if (accumulate) sum = hn::Add(c, sum);
  if (bias != nullptr) sum = hn::Add(sum, hn::LoadU(d, bias));
  return hn::IfThenElse(hn::IsNaN(sum), hn::Set(d, std::numeric_limits<T>::quiet_NaN()), sum);
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
    bias[j] = load_unaligned(out.bias + j % out.cols);
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

// One output column, rows of at most kLive vectors (the last may be partial): whole batches of rows, all in
// registers. Returns the rows done. Vectors beyond kLive are empty partials.
template <size_t kLive, class T>
HWY_NOINLINE size_t dot_short_rows(const MatrixView<T>& a, const T* w, const NarrowOutput<T>& out) {
  const hn::ScalableTag<T> d;
  constexpr size_t kLanes = HWY_LANES(T);
  using V = hn::Vec<decltype(d)>;
  V weights[kLive];
  for (size_t v = 0; v < kLive; ++v) weights[v] = hn::Load(d, w + v * kLanes);
  const size_t rest = a.cols - (kLive - 1) * kLanes;
  HWY_ALIGN T bias[kLanes];
  if (out.bias != nullptr) hn::Store(hn::Set(d, load_unaligned(out.bias)), d, bias);
  size_t i = 0;
  for (; i + kLanes <= a.rows; i += kLanes) {
    const T* rows = a.at(i, 0);
    const auto dot = [&](size_t p) HWY_ATTR {
      const T* x = rows + static_cast<ptrdiff_t>(p) * a.row_stride;
      V sum[kLive];
      for (size_t v = 0; v + 1 < kLive; ++v) {
        sum[v] = hn::MulAdd(hn::LoadU(d, x + v * kLanes), weights[v], hn::Zero(d));
      }
      sum[kLive - 1] =
          hn::MulAdd(load_first(d, x + (kLive - 1) * kLanes, rest), weights[kLive - 1], hn::Zero(d));
      for (size_t half = kDotPartials<T> / kLanes / 2; half > 0; half /= 2) {
        for (size_t v = 0; v < half && v + half < kLive; ++v) sum[v] = hn::Add(sum[v], sum[v + half]);
      }
      return sum[0];
    };
    T* c = out.c + i;
    const V old = out.accumulate ? hn::LoadU(d, c) : hn::Zero(d);
    const V sum = fold_lanes<kLanes>(d, dot);
    hn::StoreU(finish_sums(d, sum, out.accumulate, old, out.bias == nullptr ? nullptr : bias), d, c);
  }
  return i;
}

template <class T>
size_t run_short_rows(const MatrixView<T>& a, const T* w, const NarrowOutput<T>& out) {
  constexpr size_t kLanes = HWY_LANES(T);
  if (out.cols != 1 || out.ldc != 1 || a.cols == 0 || a.rows < kLanes) return 0;
  if (a.cols <= kLanes) return dot_short_rows<1>(a, w, out);
  if (a.cols <= 2 * kLanes) return dot_short_rows<2>(a, w, out);
  if constexpr (kDotPartials<T> / kLanes > 2) {
    if (a.cols <= 3 * kLanes) return dot_short_rows<3>(a, w, out);
    if (a.cols <= 4 * kLanes) return dot_short_rows<4>(a, w, out);
  }
  return 0;
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

// Blocks of rows to prefetch ahead: about 1 KB of each column.
inline constexpr size_t kAhead = 4;

// One packed column against kVectors vectors of rows.
template <class T>
struct Columns {
  const T* a;
  ptrdiff_t col_stride;
  const T* w;
  size_t depth;
};

// The tree's branch whose partials are first, first + step, first + 2·step, …: leaves (step = all partials)
// are FMA chains. Branches without a term are not visited; they could only change the sign of a zero.
template <size_t kVectors, class D, class T = hn::TFromD<D>>
HWY_NOINLINE void sum_branch(D d, const Columns<T>& x, size_t first, size_t step, hn::Vec<D>* sum) {
  if (step < kDotPartials<T> && first + step < x.depth) {
    hn::Vec<D> right[kVectors];
    sum_branch<kVectors>(d, x, first, 2 * step, sum);
    sum_branch<kVectors>(d, x, first + step, 2 * step, right);
    for (size_t v = 0; v < kVectors; ++v) sum[v] = hn::Add(sum[v], right[v]);
    return;
  }
  hn::Vec<D> chain[kVectors];
  for (size_t v = 0; v < kVectors; ++v) chain[v] = hn::Zero(d);
  for (size_t k = first; k < x.depth; k += kDotPartials<T>) {
    const T* column = x.a + static_cast<ptrdiff_t>(k) * x.col_stride;
    // Few rows of many columns at a time are too many streams for the hardware to follow. A prefetch past the
    // end of the matrix is harmless.
    for (size_t line = 0; line < kVectors * HWY_LANES(T); line += 64 / sizeof(T)) {
      hwy::Prefetch(column + kAhead * kVectors * HWY_LANES(T) + line);
    }
    const auto wk = hn::Set(d, x.w[k]);
    for (size_t v = 0; v < kVectors; ++v) {
      chain[v] = hn::MulAdd(hn::LoadU(d, column + v * HWY_LANES(T)), wk, chain[v]);
    }
  }
  for (size_t v = 0; v < kVectors; ++v) sum[v] = chain[v];
}

// kVectors vectors of rows, contiguous in memory, against all packed columns: vectors along the rows.
template <size_t kVectors, class T>
void sum_columns(const T* a, ptrdiff_t col_stride, size_t depth, const T* w, const NarrowOutput<T>& out) {
  const hn::ScalableTag<T> d;
  constexpr size_t kRows = kVectors * HWY_LANES(T);
  for (size_t j = 0; j < out.cols; ++j) {
    hn::Vec<decltype(d)> sum[kVectors];
    for (size_t v = 0; v < kVectors; ++v) sum[v] = hn::Zero(d);
    if (depth > 0)
      sum_branch<kVectors>(d, Columns<T>{a, col_stride, w + j * narrow_stride<T>(depth), depth}, 0, 1, sum);
    HWY_ALIGN T lanes[kRows];
    T* c = out.c + j;
    const bool contiguous = out.ldc == 1;
    if (out.accumulate) {
      for (size_t i = 0; i < kRows; ++i) lanes[i] = c[i * out.ldc];
    }
    HWY_ALIGN T bias[HWY_LANES(T)];
    if (out.bias != nullptr) hn::Store(hn::Set(d, load_unaligned(out.bias + j)), d, bias);
    for (size_t v = 0; v < kVectors; ++v) {
      T* part = lanes + v * HWY_LANES(T);
      const auto old = out.accumulate ? hn::Load(d, part) : hn::Zero(d);
      const auto y = finish_sums(d, sum[v], out.accumulate, old, out.bias == nullptr ? nullptr : bias);
      hn::StoreU(y, d, contiguous ? c + v * HWY_LANES(T) : part);
    }
    if (contiguous) continue;
    for (size_t i = 0; i < kRows; ++i) c[i * out.ldc] = lanes[i];
  }
}

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

}  // namespace HWY_NAMESPACE
}  // namespace maas
HWY_AFTER_NAMESPACE();

#endif  // MAAS_KERNELS_NARROW_INL_H_
