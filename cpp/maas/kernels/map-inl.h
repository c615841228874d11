// Loops over arrays for vector code: whole vectors in place, the tail through a padded buffer, so that every
// element goes through the same instructions and nothing past the arrays is touched.

#if defined(MAAS_KERNELS_MAP_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef MAAS_KERNELS_MAP_INL_H_
#undef MAAS_KERNELS_MAP_INL_H_
#else
#define MAAS_KERNELS_MAP_INL_H_
#endif

#include <cstring>

#include "hwy/highway.h"

HWY_BEFORE_NAMESPACE();
namespace maas {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

// The first `count` < Lanes(d) elements at p, then zeros.
template <class D, class T = hn::TFromD<D>>
HWY_INLINE hn::Vec<D> LoadTail(D d, const T* p, size_t count) {
#if HWY_TARGET == HWY_AVX3 || HWY_TARGET == HWY_AVX2
  return hn::MaskedLoad(hn::FirstN(d, count), d, p);  // these two suppress faults of masked lanes
#else
  HWY_ALIGN T padded[hn::MaxLanes(d)] = {};
  std::memcpy(padded, p, count * sizeof(T));
  return hn::Load(d, padded);
#endif
}

template <class D, class T = hn::TFromD<D>>
HWY_INLINE void StoreTail(D d, hn::Vec<D> v, T* p, size_t count) {
#if HWY_TARGET == HWY_AVX3 || HWY_TARGET == HWY_AVX2
  hn::BlendedStore(v, hn::FirstN(d, count), d, p);
#else
  HWY_ALIGN T padded[hn::MaxLanes(d)];
  hn::Store(v, d, padded);
  std::memcpy(p, padded, count * sizeof(T));
#endif
}

// out[i] = fn(in[i]...), vector by vector.
template <class D, class Fn, class T = hn::TFromD<D>, class... In>
HWY_INLINE void MapArrays(D d, size_t n, Fn fn, T* out, const In*... in) {
  const size_t lanes = hn::Lanes(d);
  size_t i = 0;
  for (; i + lanes <= n; i += lanes) hn::StoreU(fn(hn::LoadU(d, in + i)...), d, out + i);
  if (i < n) StoreTail(d, fn(LoadTail(d, in + i, n - i)...), out + i, n - i);
}

}  // namespace HWY_NAMESPACE
}  // namespace maas
HWY_AFTER_NAMESPACE();

#endif  // MAAS_KERNELS_MAP_INL_H_
