// Activation functions of networks for vectors of float32 or float64, on top of kernels/math-inl.h. Each
// takes (d, x, p, q) with p and q as kernels/elementwise.h says, returns the canonical NaN for NaN, and is
// what every caller uses, fused or not.
//
// Error in ULP, worst seen against long double (tests/cpp/kernels/activation_test.cc): Softsign < 1.5; Elu,
// Gelu < 2; Selu, Celu, GeluTanh < 2.5; Silu < 3; Mish < 4; leaky and hard ones < 1; without FMA 0.5 more.
// Gelu and GeluTanh follow the formulas, so below 0 that is in units of |x|, not of the result.

#if defined(MAAS_KERNELS_ACTIVATION_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef MAAS_KERNELS_ACTIVATION_INL_H_
#undef MAAS_KERNELS_ACTIVATION_INL_H_
#else
#define MAAS_KERNELS_ACTIVATION_INL_H_
#endif

#include "hwy/highway.h"
#include "maas/kernels/canonical-inl.h"
#include "maas/kernels/math-inl.h"

HWY_BEFORE_NAMESPACE();
namespace maas {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

// Highway's Max and Min treat NaN and zeros as the target does; these select explicitly.
template <class D, class V = hn::Vec<D>>
HWY_INLINE V KeepNaN(D d, V a, V result) {
  return hn::IfThenElse(hn::IsNaN(a), CanonicalNaN(d), result);
}
template <class D, class V = hn::Vec<D>>
HWY_INLINE V SelectMax(D d, V a, V b) {
  return KeepNaN(d, a, KeepNaN(d, b, hn::IfThenElse(hn::Gt(a, b), a, b)));
}
template <class D, class V = hn::Vec<D>>
HWY_INLINE V SelectMin(D d, V a, V b) {
  return KeepNaN(d, a, KeepNaN(d, b, hn::IfThenElse(hn::Lt(a, b), a, b)));
}
template <class D, class V = hn::Vec<D>>
HWY_INLINE V Clip(D d, V x, V low, V high) {
  return SelectMin(d, SelectMax(d, x, low), high);
}

template <class D, class V = hn::Vec<D>>
HWY_INLINE V LeakyRelu(D d, V x, V slope) {
  return Canonical(d, hn::IfThenElse(hn::Lt(x, hn::Zero(d)), hn::Mul(slope, x), x));
}
template <class D, class V = hn::Vec<D>>
HWY_INLINE V ThresholdedRelu(D /* d */, V x, V threshold) {
  return hn::IfThenElseZero(hn::Gt(x, threshold), x);  // NaN is not above
}

// x above 0, else p (e^x - 1).
template <class D, class V = hn::Vec<D>>
HWY_INLINE V Elu(D d, V x, V p) {
  return Canonical(d, hn::IfThenElse(hn::Gt(x, hn::Zero(d)), x, hn::Mul(p, Expm1(d, x))));
}
template <class D, class V = hn::Vec<D>>
HWY_INLINE V Selu(D d, V x, V p, V q) {
  return Canonical(d, hn::Mul(q, Elu(d, x, p)));
}
template <class D, class V = hn::Vec<D>>
HWY_INLINE V Celu(D d, V x, V p) {
  const V below = hn::Mul(p, Expm1(d, hn::Div(x, p)));
  return Canonical(d, hn::IfThenElse(hn::Gt(x, hn::Zero(d)), x, below));
}

template <class D, class V = hn::Vec<D>>
HWY_INLINE V Gelu(D d, V x) {
  using T = hn::TFromD<D>;
  const V inner = Erf(d, hn::Mul(x, hn::Set(d, T(0.70710678118654752440))));
  const V half = hn::Mul(hn::Set(d, T(0.5)), x);
  return Canonical(d, hn::Mul(half, hn::Add(hn::Set(d, T(1)), inner)));
}
template <class D, class V = hn::Vec<D>>
HWY_INLINE V GeluTanh(D d, V x) {
  using T = hn::TFromD<D>;
  const V cube = hn::Mul(hn::Mul(hn::Mul(x, x), x), hn::Set(d, T(0.044715)));
  const V inner = Tanh(d, hn::Mul(hn::Set(d, T(0.79788456080286535588)), hn::Add(x, cube)));
  const V half = hn::Mul(hn::Set(d, T(0.5)), x);
  return Canonical(d, hn::Mul(half, hn::Add(hn::Set(d, T(1)), inner)));
}

template <class D, class V = hn::Vec<D>>
HWY_INLINE V Silu(D d, V x) {
  return Canonical(d, hn::Mul(x, Sigmoid(d, x)));
}
template <class D, class V = hn::Vec<D>>
HWY_INLINE V Softsign(D d, V x) {
  return Canonical(d, hn::Div(x, hn::Add(hn::Set(d, 1), hn::Abs(x))));
}
template <class D, class V = hn::Vec<D>>
HWY_INLINE V HardSigmoid(D d, V x, V p, V q) {
  return Clip(d, hn::MulAdd(p, x, q), hn::Zero(d), hn::Set(d, 1));
}
template <class D, class V = hn::Vec<D>>
HWY_INLINE V HardSwish(D d, V x) {
  using T = hn::TFromD<D>;
  const V gate = HardSigmoid(d, x, hn::Set(d, T(1) / T(6)), hn::Set(d, T(0.5)));
  return Canonical(d, hn::Mul(x, gate));
}

// tanh(log(1 + e)) = e (e + 2) / (e (e + 2) + 2) for e = e^x; from 40 on the quotient rounds to 1.
template <class D, class V = hn::Vec<D>>
HWY_INLINE V Mish(D d, V x) {
  using T = hn::TFromD<D>;
  const V two = hn::Set(d, T(2));
  const V e = Exp(d, hn::Min(x, hn::Set(d, T(40))));
  const V n = hn::Mul(e, hn::Add(e, two));
  return Canonical(d, hn::Mul(x, hn::Div(n, hn::Add(n, two))));
}

// 1, 0 or -1; +0 for both zeros.
template <class D, class V = hn::Vec<D>>
HWY_INLINE V PlainSign(D d, V x) {
  const V zero = hn::Zero(d);
  const V one = hn::IfThenElseZero(hn::Ne(x, zero), hn::CopySign(hn::Set(d, 1), x));
  return KeepNaN(d, x, one);
}

}  // namespace HWY_NAMESPACE
}  // namespace maas
HWY_AFTER_NAMESPACE();

#endif  // MAAS_KERNELS_ACTIVATION_INL_H_
