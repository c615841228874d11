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

#include <cstring>

#include "hwy/highway.h"

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

// Adds up the lanes of kSumVectors<D> accumulators by the tree.
template <class D, class T = hn::TFromD<D>>
HWY_INLINE T CombinePartials(D d, hn::Vec<D>* acc) {
  constexpr size_t kLanes = hn::MaxLanes(d);
  for (size_t half = kSumVectors<D> / 2; half > 0; half /= 2) {
    for (size_t v = 0; v < half; ++v) acc[v] = hn::Add(acc[v], acc[v + half]);
  }
  HWY_ALIGN T lanes[kLanes];
  hn::Store(acc[0], d, lanes);
  for (size_t half = kLanes / 2; half > 0; half /= 2) {
    for (size_t k = 0; k < half; ++k) lanes[k] += lanes[k + half];
  }
  return lanes[0];
}

// The end of an array, padded to a whole block of partials, so that nothing past it is read.
template <class T, size_t kBlock>
struct PaddedBlock {
  PaddedBlock(const T* p, size_t count, T padding = 0) {
    std::memcpy(values, p, count * sizeof(T));
    for (size_t k = count; k < kBlock; ++k) values[k] = padding;
  }
  HWY_ALIGN T values[kBlock];
};

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
  if (k < n) add_block(PaddedBlock<In, kBlock>(in + k, n - k).values...);
  return CombinePartials(d, acc);
}

}  // namespace HWY_NAMESPACE
}  // namespace maas
HWY_AFTER_NAMESPACE();

#endif  // MAAS_KERNELS_SUM_INL_H_
