// Sums whose bits do not depend on the vector length. Element k of an array goes to partial k mod V, where V
// is 64 for float32 and 32 for float64 (256 bytes, four of the widest vectors); the end of the array is
// padded with zeros; the partials meet in one fixed tree: the upper half is added to the lower until one is
// left.

#if defined(MAAS_KERNELS_SUM_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef MAAS_KERNELS_SUM_INL_H_
#undef MAAS_KERNELS_SUM_INL_H_
#else
#define MAAS_KERNELS_SUM_INL_H_
#endif

#include "hwy/highway.h"
#include "maas/kernels/map-inl.h"

HWY_BEFORE_NAMESPACE();
namespace maas {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

template <class T>
inline constexpr size_t kSumPartials = 256 / sizeof(T);

template <class D>
inline constexpr size_t kSumVectors = kSumPartials<hn::TFromD<D>> / hn::MaxLanes(D());

// Lanes(d) values from p as D's type: float32 widens to float64.
template <class D, class In>
HWY_INLINE hn::Vec<D> LoadAs(D d, const In* p) {
  if constexpr (sizeof(In) == sizeof(hn::TFromD<D>)) {
    return hn::LoadU(d, p);
  } else {
    return hn::PromoteTo(d, hn::LoadU(hn::Rebind<In, D>(), p));
  }
}

// The first `count` < Lanes(d) of them, then zeros.
template <class D, class In>
HWY_INLINE hn::Vec<D> LoadTailAs(D d, const In* p, size_t count) {
  if constexpr (sizeof(In) == sizeof(hn::TFromD<D>)) {
    return LoadTail(d, p, count);
  } else {
    return hn::PromoteTo(d, LoadTail(hn::Rebind<In, D>(), p, count));
  }
}

// Adds the upper half of the lanes to the lower until one is left.
template <class D>
HWY_INLINE hn::TFromD<D> CombineLanes([[maybe_unused]] D d, hn::Vec<D> v) {
  if constexpr (hn::MaxLanes(D()) == 1) {
    return hn::GetLane(v);
  } else {
    const hn::Half<D> half;
    return CombineLanes(half, hn::Add(hn::LowerHalf(half, v), hn::UpperHalf(half, v)));
  }
}

// Adds up the lanes of kSumVectors<D> accumulators by the tree.
template <class D>
HWY_INLINE hn::TFromD<D> CombinePartials(D d, hn::Vec<D>* acc) {
  for (size_t half = kSumVectors<D> / 2; half > 0; half /= 2) {
    for (size_t v = 0; v < half; ++v) acc[v] = hn::Add(acc[v], acc[v + half]);
  }
  return CombineLanes(d, acc[0]);
}

// Sum over k < n of what step(acc, in[k]...) adds to acc. Adding zeros must change nothing: step is an Add or
// a MulAdd of terms that vanish with their inputs. NaN and infinity pass through; a sum of -0 alone is +0.
template <class D, class Step, class... In>
HWY_INLINE hn::TFromD<D> SumPartials(D d, size_t n, Step step, const In*... in) {
  constexpr size_t kBlock = kSumPartials<hn::TFromD<D>>;
  constexpr size_t kVectors = kSumVectors<D>;
  hn::Vec<D> acc[kVectors];
  for (auto& a : acc) a = hn::Zero(d);
  const auto add_block = [&](const In*... block) HWY_ATTR {
    for (size_t v = 0; v < kVectors; ++v) acc[v] = step(acc[v], LoadAs(d, block + v * hn::Lanes(d))...);
  };
  size_t k = 0;
  for (; k + kBlock <= n; k += kBlock) add_block(in + k...);
  const size_t lanes = hn::Lanes(d);
  for (size_t v = 0; k < n; ++v, k += lanes) {  // what is missing of the block would add zeros
    acc[v] =
        n - k >= lanes ? step(acc[v], LoadAs(d, in + k)...) : step(acc[v], LoadTailAs(d, in + k, n - k)...);
  }
  return CombinePartials(d, acc);
}

}  // namespace HWY_NAMESPACE
}  // namespace maas
HWY_AFTER_NAMESPACE();

#endif  // MAAS_KERNELS_SUM_INL_H_
