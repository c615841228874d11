// How the partials of narrow products meet, and what a finished sum goes through. Include per target.
#if defined(MAAS_KERNELS_NARROW_FOLD_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef MAAS_KERNELS_NARROW_FOLD_INL_H_
#undef MAAS_KERNELS_NARROW_FOLD_INL_H_
#else
#define MAAS_KERNELS_NARROW_FOLD_INL_H_
#endif

#include <cstring>

#include "hwy/highway.h"
#include "maas/kernels/canonical-inl.h"

HWY_BEFORE_NAMESPACE();
namespace maas {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

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

// The same from leaves of two sums, which have done the first step: leaf(i, j) is fold_pair of sums i and j.
template <size_t kCount, class D, class Leaf>
HWY_INLINE hn::Vec<D> fold_lane_pairs(D d, const Leaf& leaf, size_t first = 0) {
  constexpr size_t kLanes = HWY_LANES(hn::TFromD<D>);
  if constexpr (kCount == 2) {
    return leaf(reverse_bits(first, kLanes), reverse_bits(first + 1, kLanes));
  } else {
    return fold_pair<kLanes / kCount>(d, fold_lane_pairs<kCount / 2>(d, leaf, first),
                                      fold_lane_pairs<kCount / 2>(d, leaf, first + kCount / 2));
  }
}

// Adds to C or sets it, then bias, then makes NaNs canonical: on a vector of finished sums.
template <class D, class V = hn::Vec<D>, class T = hn::TFromD<D>>
HWY_INLINE V finish_sums(D d, V sum, bool accumulate, V c, const T* bias) {
  sum = hn::Add(sum, hn::Zero(d));
  if (accumulate) sum = hn::Add(c, sum);
  if (bias != nullptr) sum = hn::Add(sum, hn::LoadU(d, bias));
  return Canonical(d, sum);
}

}  // namespace HWY_NAMESPACE
}  // namespace maas
HWY_AFTER_NAMESPACE();

#endif  // MAAS_KERNELS_NARROW_FOLD_INL_H_
