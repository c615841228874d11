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

#include "hwy/highway.h"
#include "maas/base/aligned.h"
#include "maas/base/view.h"
#include "maas/kernels/narrow.h"
#include "maas/kernels/packed_matrix.h"

HWY_BEFORE_NAMESPACE();
namespace maas {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

// The first n < Lanes(d) values at p, then zeros; nothing beyond them is read.
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

// The trees of Lanes(d) sums at once: result lane i is the tree over the lanes of vectors[i]. Folding pairs
// leaves sum i in the lane with i's bits reversed, so the pairs start from reversed places.
template <size_t kCount, class D, class T = hn::TFromD<D>>
HWY_INLINE hn::Vec<D> fold_lanes(D d, const T* vectors, size_t first = 0) {
  constexpr size_t kLanes = HWY_LANES(T);
  if constexpr (kCount == 1) {
    return hn::Load(d, vectors + reverse_bits(first, kLanes) * kLanes);
  } else {
    return fold_pair<kLanes / kCount>(d, fold_lanes<kCount / 2>(d, vectors, first),
                                      fold_lanes<kCount / 2>(d, vectors, first + kCount / 2));
  }
}

// The partials of one row times one packed column, folded to one vector. kVectors vectors hold all partials
// that are not empty: fewer than the full set only when depth <= kVectors · lanes.
template <size_t kVectors, class D, class T = hn::TFromD<D>>
HWY_INLINE hn::Vec<D> dot_row(D d, const T* x, const T* w, size_t depth) {
  constexpr size_t kLanes = HWY_LANES(T);
  hn::Vec<D> sum[kVectors];
#pragma GCC unroll 16
  for (size_t v = 0; v < kVectors; ++v) sum[v] = hn::Zero(d);
  size_t k = 0;
  for (; k + kVectors * kLanes <= depth; k += kVectors * kLanes) {
#pragma GCC unroll 16
    for (size_t v = 0; v < kVectors; ++v) {
      sum[v] = hn::MulAdd(hn::LoadU(d, x + k + v * kLanes), hn::Load(d, w + k + v * kLanes), sum[v]);
    }
  }
#pragma GCC unroll 16
  for (size_t v = 0; v < kVectors; ++v, k += kLanes) {
    if (k >= depth) break;
    const auto tail = k + kLanes <= depth ? hn::LoadU(d, x + k) : load_first(d, x + k, depth - k);
    sum[v] = hn::MulAdd(tail, hn::Load(d, w + k), sum[v]);
  }
#pragma GCC unroll 16
  for (size_t half = kVectors / 2; half > 0; half /= 2) {
#pragma GCC unroll 16
    for (size_t v = 0; v < half; ++v) sum[v] = hn::Add(sum[v], sum[v + half]);
  }
  return sum[0];
}

// Adds to C or sets it, then bias, then makes NaNs canonical: on a vector of finished sums.
template <class D, class V = hn::Vec<D>, class T = hn::TFromD<D>>
HWY_INLINE V finish_sums(D d, V sum, bool accumulate, V c, const T* bias) {
  sum = hn::Add(sum, hn::Zero(d));
  if (accumulate) sum = hn::Add(c, sum);
  if (bias != nullptr) sum = hn::Add(sum, hn::LoadU(d, bias));
  return hn::IfThenElse(hn::IsNaN(sum), hn::Set(d, std::numeric_limits<T>::quiet_NaN()), sum);
}

// Gathers the outputs of consecutive (row, column) pairs, a vector of them at a time.
template <class T>
class Sums {
 public:
  explicit Sums(const NarrowOutput<T>& out) : out_(out) {
    if (out.bias == nullptr) return;
    // Bias of the pairs that follow pair p starts at bias_[p mod cols].
    for (size_t j = 0; j < out.cols + kLanes; ++j) bias_[j] = load_unaligned(out.bias + j % out.cols);
  }

  template <class D>
  HWY_INLINE void push(D d, hn::Vec<D> partials) {
    hn::Store(partials, d, vectors_ + count_ * kLanes);
    if (++count_ == kLanes) flush();
  }

  void flush() {
    const hn::ScalableTag<T> d;
    if (count_ == 0) return;
    const bool whole = count_ == kLanes && out_.ldc == out_.cols;
    T* c = out_.c + row_ * out_.ldc + col_;
    auto sum = fold_lanes<kLanes>(d, vectors_);
    HWY_ALIGN T lanes[kLanes] = {};
    if (out_.accumulate && !whole) copy_pairs([&](size_t p, T* at) { lanes[p] = *at; });
    const auto old = !out_.accumulate ? hn::Zero(d) : whole ? hn::LoadU(d, c) : hn::Load(d, lanes);
    sum = finish_sums(d, sum, out_.accumulate, old, out_.bias == nullptr ? nullptr : bias_ + col_);
    if (whole) {
      hn::StoreU(sum, d, c);
    } else {
      hn::Store(sum, d, lanes);
      copy_pairs([&](size_t p, T* at) { *at = lanes[p]; });
    }
    col_ += count_;
    row_ += col_ / out_.cols;
    col_ %= out_.cols;
    count_ = 0;
  }

 private:
  static constexpr size_t kLanes = HWY_LANES(T);

  template <class Fn>
  void copy_pairs(Fn fn) {
    size_t row = row_, col = col_;
    for (size_t p = 0; p < count_; ++p) {
      fn(p, out_.c + row * out_.ldc + col);
      if (++col == out_.cols) ++row, col = 0;
    }
  }

  HWY_ALIGN T vectors_[kLanes * kLanes] = {};
  T bias_[kNarrowCols + kLanes];
  NarrowOutput<T> out_;
  size_t count_ = 0;
  size_t row_ = 0, col_ = 0;  // of the first pair gathered
};

template <size_t kVectors, class T>
HWY_NOINLINE void dot_rows(const MatrixView<T>& a, const T* w, const NarrowOutput<T>& out) {
  const hn::ScalableTag<T> d;
  const size_t stride = narrow_stride<T>(a.cols);
  Sums<T> sums(out);
  for (size_t i = 0; i < a.rows; ++i) {
    for (size_t j = 0; j < out.cols; ++j)
      sums.push(d, dot_row<kVectors>(d, a.at(i, 0), w + j * stride, a.cols));
  }
  sums.flush();
}

// Rows whose values are contiguous: vectors along K.
template <class T>
void run_rows(const MatrixView<T>& a, const T* w, const NarrowOutput<T>& out) {
  constexpr size_t kLanes = HWY_LANES(T);
  constexpr size_t kAll = kPartials<T> / kLanes;
  if (a.cols <= kLanes) return dot_rows<1>(a, w, out);
  if constexpr (kAll > 2) {
    if (a.cols <= 2 * kLanes) return dot_rows<2>(a, w, out);
  }
  if constexpr (kAll > 4) {
    if (a.cols <= 4 * kLanes) return dot_rows<4>(a, w, out);
  }
  dot_rows<kAll>(a, w, out);
}

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
  if (step < kPartials<T> && first + step < x.depth) {
    hn::Vec<D> right[kVectors];
    sum_branch<kVectors>(d, x, first, 2 * step, sum);
    sum_branch<kVectors>(d, x, first + step, 2 * step, right);
    for (size_t v = 0; v < kVectors; ++v) sum[v] = hn::Add(sum[v], right[v]);
    return;
  }
  hn::Vec<D> chain[kVectors];
  for (size_t v = 0; v < kVectors; ++v) chain[v] = hn::Zero(d);
  for (size_t k = first; k < x.depth; k += kPartials<T>) {
    const T* column = x.a + static_cast<ptrdiff_t>(k) * x.col_stride;
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
