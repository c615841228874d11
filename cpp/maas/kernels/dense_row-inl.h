// A dense layer on one row: the latency of the chains along K is what it waits for, or the way of the weights
// from the second-level cache; so all chains of one or two slivers run side by side. Include per target.
#if defined(MAAS_KERNELS_DENSE_ROW_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef MAAS_KERNELS_DENSE_ROW_INL_H_
#undef MAAS_KERNELS_DENSE_ROW_INL_H_
#else
#define MAAS_KERNELS_DENSE_ROW_INL_H_
#endif

#include <algorithm>
#include <utility>

#include "hwy/highway.h"
#include "maas/kernels/activation-inl.h"
#include "maas/kernels/dense.h"
#include "maas/kernels/map-inl.h"
#include "maas/kernels/narrow_fold-inl.h"

HWY_BEFORE_NAMESPACE();
namespace maas {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

// Chains that run side by side at most, those of them that one sliver gives, and the slivers they take.
#if HWY_TARGET == HWY_AVX2 || HWY_TARGET == HWY_SSE4
inline constexpr size_t kRowChains = 8;
#else
inline constexpr size_t kRowChains = 16;
#endif
template <class T>
inline constexpr size_t kRowVectors = HWY_MIN(kSliver<T> / HWY_LANES(T), kRowChains);
template <class T>
inline constexpr size_t kRowSlivers = kRowChains / kRowVectors<T>;

// kVectors vectors of outputs from each of kSlivers slivers; the first begins at `w` and is column `first`.
template <size_t kSlivers, size_t kVectors, class T>
HWY_NOINLINE void row_chains(const DensePlan<T>& plan, const T* x, const T* w, size_t first, T* out) {
  const hn::ScalableTag<T> d;
  constexpr size_t kLanes = HWY_LANES(T);
  const size_t depth = plan.depth, sliver = depth * kSliver<T>;
  hn::Vec<decltype(d)> sum[kSlivers][kVectors];
#pragma GCC unroll 16
  for (auto& one : sum) {
#pragma GCC unroll 16
    for (auto& v : one) v = hn::Zero(d);
  }
  for (size_t k = 0; k < depth; ++k, w += kSliver<T>) {
    const auto xk = hn::Set(d, load_unaligned(x + k));
#pragma GCC unroll 16
    for (size_t s = 0; s < kSlivers; ++s) {
#pragma GCC unroll 16
      for (size_t v = 0; v < kVectors; ++v) {
        sum[s][v] = hn::MulAdd(xk, hn::Load(d, w + s * sliver + v * kLanes), sum[s][v]);
      }
    }
  }
#pragma GCC unroll 16
  for (size_t s = 0; s < kSlivers; ++s) {
#pragma GCC unroll 16
    for (size_t v = 0; v < kVectors; ++v) {
      const size_t j = first + s * kSliver<T> + v * kLanes;
      auto y = sum[s][v];
      if (plan.bias != nullptr) y = hn::Add(y, hn::Load(d, plan.bias + j));
      y = plan.relu ? CanonicalRelu(d, y) : Canonical(d, y);
      if (s + 1 < kSlivers || v + 1 < kVectors || j + kLanes <= plan.cols) {
        hn::StoreU(y, d, out + j);
      } else {
        StoreTail(d, y, out + j, plan.cols - j);
      }
    }
  }
}

template <class T>
using RowChainsFn = void (*)(const DensePlan<T>&, const T* x, const T* w, size_t first, T* out);

template <class T, size_t... kBelow>
RowChainsFn<T> find_row_chains(size_t vectors, std::index_sequence<kBelow...>) {
  static constexpr RowChainsFn<T> kTable[] = {row_chains<1, kBelow + 1, T>...};
  return kTable[vectors - 1];
}

// N >= kNarrowCols.
template <class T>
void run_wide_row(const DensePlan<T>& plan, const T* x, T* out) {
  constexpr size_t kLanes = HWY_LANES(T), kVectors = kRowVectors<T>;
  size_t j = 0;
  const auto run_slivers = [&]<size_t kSlivers>() HWY_ATTR {
    for (; j + kSlivers * kSliver<T> <= plan.cols; j += kSlivers * kSliver<T>) {
      row_chains<kSlivers, kVectors>(plan, x, plan.weights + j * plan.depth, j, out);
    }
  };
  if constexpr (kRowSlivers<T> >= 4) run_slivers.template operator()<4>();
  if constexpr (kRowSlivers<T> >= 2) run_slivers.template operator()<2>();
  for (; j < plan.cols; j += kVectors * kLanes) {
    const size_t vectors = std::min(kVectors, (plan.cols - j + kLanes - 1) / kLanes);
    const T* w = plan.weights + j / kSliver<T> * kSliver<T> * plan.depth + j % kSliver<T>;
    find_row_chains<T>(vectors, std::make_index_sequence<kVectors>())(plan, x, w, j, out);
  }
}

// The partial sums of kCols packed columns, each down to one vector. kVectors vectors hold all partials that
// are not empty.
template <size_t kVectors, size_t kCols, class D, class T = hn::TFromD<D>>
HWY_INLINE void column_partials(D d, const T* x, size_t depth, const T* w, T* to) {
  constexpr size_t kLanes = HWY_LANES(T);
  const size_t stride = narrow_stride<T>(depth);
  hn::Vec<D> sum[kVectors][kCols];
#pragma GCC unroll 16
  for (auto& row : sum) {
    for (auto& v : row) v = hn::Zero(d);
  }
  const auto multiply = [&](size_t v, size_t k, hn::Vec<D> xv) HWY_ATTR {
#pragma GCC unroll 8
    for (size_t c = 0; c < kCols; ++c) {
      sum[v][c] = hn::MulAdd(xv, hn::Load(d, w + c * stride + k), sum[v][c]);
    }
  };
  size_t k = 0;
  for (; k + kVectors * kLanes <= depth; k += kVectors * kLanes) {
#pragma GCC unroll 16
    for (size_t v = 0; v < kVectors; ++v) multiply(v, k + v * kLanes, hn::LoadU(d, x + k + v * kLanes));
  }
  if (k < depth) {
#pragma GCC unroll 16
    for (size_t v = 0; v < kVectors; ++v, k += kLanes) {
      const size_t count = k < depth ? std::min(kLanes, depth - k) : 0;
      multiply(v, k, load_first(d, x + k, count));
    }
  }
#pragma GCC unroll 16
  for (size_t half = kVectors / 2; half > 0; half /= 2) {
#pragma GCC unroll 16
    for (size_t v = 0; v < half; ++v) {
      for (size_t c = 0; c < kCols; ++c) sum[v][c] = hn::Add(sum[v][c], sum[v + half][c]);
    }
  }
  for (size_t c = 0; c < kCols; ++c) hn::Store(sum[0][c], d, to + c * kLanes);
}

// The tree over the lanes of one vector; its sum is in lane 0.
template <size_t kHalf, class D, class V = hn::Vec<D>>
HWY_INLINE V fold_one(D d, V v) {
  if constexpr (kHalf == 0) {
    return v;
  } else {
    return fold_one<kHalf / 2>(d, fold_pair<kHalf>(d, v, v));
  }
}

template <class D, class T = hn::TFromD<D>>
HWY_INLINE hn::Vec<D> finish_narrow(D d, const DensePlan<T>& plan, size_t first, hn::Vec<D> sum) {
  const auto y = finish_sums(d, sum, false, sum, plan.bias == nullptr ? nullptr : plan.bias + first);
  return plan.relu ? CanonicalRelu(d, y) : y;
}

template <size_t kVectors, class T>
HWY_NOINLINE void narrow_row(const DensePlan<T>& plan, const T* x, T* out) {
  const hn::ScalableTag<T> d;
  constexpr size_t kLanes = HWY_LANES(T);
  const size_t depth = plan.depth, cols = plan.cols, stride = narrow_stride<T>(depth);
  HWY_ALIGN T partials[(kNarrowCols + kLanes) * kLanes];
  if (cols == 1) {
    column_partials<kVectors, 1>(d, x, depth, plan.weights, partials);
    *out = hn::GetLane(finish_narrow(d, plan, 0, fold_one<kLanes / 2>(d, hn::Load(d, partials))));
    return;
  }
  constexpr size_t kSide = kVectors >= 8 ? 1 : 4;
  size_t j = 0;
  for (; j + kSide <= cols; j += kSide) {
    column_partials<kVectors, kSide>(d, x, depth, plan.weights + j * stride, partials + j * kLanes);
  }
  for (; j < cols; ++j) {
    column_partials<kVectors, 1>(d, x, depth, plan.weights + j * stride, partials + j * kLanes);
  }
  for (; j % kLanes != 0; ++j) hn::Store(hn::Zero(d), d, partials + j * kLanes);
  for (j = 0; j < cols; j += kLanes) {
    const T* of = partials + j * kLanes;
    const auto tree =
        fold_lanes<kLanes>(d, [of, d](size_t p) HWY_ATTR { return hn::Load(d, of + p * kLanes); });
    const auto y = finish_narrow(d, plan, j, tree);
    if (j + kLanes <= cols) {
      hn::StoreU(y, d, out + j);
    } else {
      StoreTail(d, y, out + j, cols - j);
    }
  }
}

// N < kNarrowCols.
template <class T>
void run_narrow_row(const DensePlan<T>& plan, const T* x, T* out) {
  constexpr size_t kLanes = HWY_LANES(T);
  constexpr size_t kAll = kDotPartials<T> / kLanes;
  if (plan.depth <= kLanes) return narrow_row<1>(plan, x, out);
  if constexpr (kAll > 2) {
    if (plan.depth <= 2 * kLanes) return narrow_row<2>(plan, x, out);
  }
  if constexpr (kAll > 4) {
    if (plan.depth <= 4 * kLanes) return narrow_row<4>(plan, x, out);
  }
  narrow_row<kAll>(plan, x, out);
}

}  // namespace HWY_NAMESPACE
}  // namespace maas
HWY_AFTER_NAMESPACE();

#endif  // MAAS_KERNELS_DENSE_ROW_INL_H_
