// Canonical NaNs, alone and together with ReLU, which most finished values go through. Include per target.
#if defined(MAAS_KERNELS_CANONICAL_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef MAAS_KERNELS_CANONICAL_INL_H_
#undef MAAS_KERNELS_CANONICAL_INL_H_
#else
#define MAAS_KERNELS_CANONICAL_INL_H_
#endif

#include <limits>

#include "hwy/highway.h"

HWY_BEFORE_NAMESPACE();
namespace maas {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

template <class D, class V = hn::Vec<D>>
HWY_INLINE V CanonicalNaN(D d) {
  return hn::Set(d, std::numeric_limits<hn::TFromD<D>>::quiet_NaN());
}

#if HWY_TARGET == HWY_AVX3
// One instruction that looks up what becomes of each kind of number. A digit a kind, from the lowest: quiet
// and signalling NaN, zero, one, -inf, +inf, other negative, other positive; 0 keeps the first operand (the
// canonical NaN), 1 takes the second, 8 is +0.
template <int kKinds>
HWY_INLINE __m512 fix_up(__m512 nan, __m512 v) {
  return _mm512_fixupimm_ps(nan, v, _mm512_set1_epi32(kKinds), 0);
}
template <int kKinds>
HWY_INLINE __m512d fix_up(__m512d nan, __m512d v) {
  return _mm512_fixupimm_pd(nan, v, _mm512_set1_epi64(kKinds), 0);
}
template <class D>
inline constexpr bool kFixesUp = hn::MaxLanes(D()) * sizeof(hn::TFromD<D>) == 64;
#endif

// `v`, or the canonical NaN where v is NaN.
template <class D, class V = hn::Vec<D>>
HWY_INLINE V Canonical(D d, V v) {
#if HWY_TARGET == HWY_AVX3
  if constexpr (kFixesUp<D>) return V{fix_up<0x11111100>(CanonicalNaN(d).raw, v.raw)};
#endif
  return hn::IfThenElse(hn::IsNaN(v), CanonicalNaN(d), v);
}

// v above 0, the canonical NaN for NaN, else +0.
template <class D, class V = hn::Vec<D>>
HWY_INLINE V CanonicalRelu(D d, V v) {
#if HWY_TARGET == HWY_AVX3
  if constexpr (kFixesUp<D>) return V{fix_up<0x18181800>(CanonicalNaN(d).raw, v.raw)};
#endif
  return hn::IfThenZeroElse(hn::Le(v, hn::Zero(d)), Canonical(d, v));
}

}  // namespace HWY_NAMESPACE
}  // namespace maas
HWY_AFTER_NAMESPACE();

#endif  // MAAS_KERNELS_CANONICAL_INL_H_
