// Derivatives of activations for vectors of float32 or float64, beside kernels/activation-inl.h: `y` is the
// activation's output, `x` its input, p and q as kernels/elementwise.h says. Finite arguments give finite
// results. Include per target.
//
// Error in ULP of the derivative, which counts as 1/4 at least, worst seen against long double
// (tests/cpp/kernels/activation_gradient_test.cc): from an exact output < 2; HardSwish < 2; Softsign, Silu <
// 4; Gelu < 4.5; GeluTanh, Mish < 5; without FMA 1 more.

#if defined(MAAS_KERNELS_ACTIVATION_GRADIENT_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef MAAS_KERNELS_ACTIVATION_GRADIENT_INL_H_
#undef MAAS_KERNELS_ACTIVATION_GRADIENT_INL_H_
#else
#define MAAS_KERNELS_ACTIVATION_GRADIENT_INL_H_
#endif

#include "hwy/highway.h"
#include "maas/kernels/math-inl.h"

HWY_BEFORE_NAMESPACE();
namespace maas {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

// `above` where v > 0, else `below`. A NaN counts as above: the value it came from is NaN already.
template <class D, class V = hn::Vec<D>>
HWY_INLINE V BySign(D d, V v, V above, V below) {
  return hn::IfThenElse(hn::Le(v, hn::Zero(d)), below, above);
}

// e^x p = y + p up to 0; of Selu y q is what Elu's is.
template <class D, class V = hn::Vec<D>>
HWY_INLINE V EluSlope(D d, V y, V p) {
  return BySign(d, y, hn::Set(d, 1), hn::Add(y, p));
}
template <class D, class V = hn::Vec<D>>
HWY_INLINE V SeluSlope(D d, V y, V p, V q) {
  return BySign(d, y, q, hn::MulAdd(p, q, y));
}
template <class D, class V = hn::Vec<D>>
HWY_INLINE V CeluSlope(D d, V y, V p) {
  const V one = hn::Set(d, 1);
  return BySign(d, y, one, hn::Add(hn::Div(y, p), one));
}

template <class D, class V = hn::Vec<D>>
HWY_INLINE V SigmoidSlope(D /* d */, V y) {
  return hn::NegMulAdd(y, y, y);
}
template <class D, class V = hn::Vec<D>>
HWY_INLINE V TanhSlope(D d, V y) {
  return hn::NegMulAdd(y, y, hn::Set(d, 1));
}
// sigmoid(x) = 1 - e^-y.
template <class D, class V = hn::Vec<D>>
HWY_INLINE V SoftplusSlope(D d, V y) {
  return hn::Neg(Expm1(d, hn::Neg(y)));
}

// Φ(x) + x φ(x).
template <class D, class V = hn::Vec<D>>
HWY_INLINE V GeluSlope(D d, V x) {
  using T = hn::TFromD<D>;
  const V half = hn::Set(d, T(0.5));
  const V erf = Erf(d, hn::Mul(x, hn::Set(d, T(0.70710678118654752440))));
  const V bell = Exp(d, hn::Neg(hn::Mul(half, hn::Mul(x, x))));
  const V peak = hn::Set(d, T(0.39894228040143267794));  // 1 / sqrt(2 pi)
  return hn::MulAdd(hn::Mul(x, peak), bell, hn::MulAdd(half, erf, half));
}

// With u the argument of tanh and s = (1 + tanh u) / 2 = sigmoid(2 u): s + x 2 u' s (1 - s). Constant beyond
// ±20.
template <class D, class V = hn::Vec<D>>
HWY_INLINE V GeluTanhSlope(D d, V x) {
  using T = hn::TFromD<D>;
  const V one = hn::Set(d, 1);
  x = hn::Min(hn::Max(x, hn::Set(d, T(-20))), hn::Set(d, T(20)));
  const V square = hn::Mul(x, x);
  const V scale = hn::Set(d, T(1.5957691216057307118));  // 2 sqrt(2 / pi)
  const V u = hn::Mul(hn::Mul(scale, x), hn::MulAdd(square, hn::Set(d, T(0.044715)), one));
  const V slope = hn::Mul(scale, hn::MulAdd(square, hn::Set(d, T(0.134145)), one));
  const V e = Exp(d, hn::Neg(hn::Abs(u)));
  const V s = SigmoidFromExp(d, u, e);
  const V rest = SigmoidFromExp(d, hn::Neg(u), e);
  return hn::Mul(s, hn::MulAdd(hn::Mul(x, slope), rest, one));
}

// s (1 + x (1 - s)), with 1 - s = sigmoid(-x) from the same exponential.
template <class D, class V = hn::Vec<D>>
HWY_INLINE V SiluSlope(D d, V x) {
  const V e = Exp(d, hn::Neg(hn::Abs(x)));
  const V s = SigmoidFromExp(d, x, e);
  const V rest = SigmoidFromExp(d, hn::Neg(x), e);
  return hn::Mul(s, hn::MulAdd(x, rest, hn::Set(d, 1)));
}

template <class D, class V = hn::Vec<D>>
HWY_INLINE V SoftsignSlope(D d, V x) {
  const V one = hn::Set(d, 1);
  const V inverse = hn::Div(one, hn::Add(one, hn::Abs(x)));
  return hn::Mul(inverse, inverse);
}
// p inside, 0 where the value is clipped.
template <class D, class V = hn::Vec<D>>
HWY_INLINE V HardSigmoidSlope(D d, V x, V p, V q) {
  const V line = hn::MulAdd(p, x, q);
  return hn::IfThenElseZero(hn::And(hn::Gt(line, hn::Zero(d)), hn::Lt(line, hn::Set(d, 1))), p);
}
template <class D, class V = hn::Vec<D>>
HWY_INLINE V HardSwishSlope(D d, V x) {
  using T = hn::TFromD<D>;
  const V three = hn::Set(d, T(3));
  const V inside = hn::MulAdd(x, hn::Set(d, T(1) / T(3)), hn::Set(d, T(0.5)));
  const V below = hn::IfThenElseZero(hn::Gt(x, hn::Neg(three)), inside);
  return hn::IfThenElse(hn::Ge(x, three), hn::Set(d, 1), below);
}

// With e = e^x, n = e (e + 2) and t = n / (n + 2) = tanh(softplus(x)): t + x 4 e (e + 1) / (n + 2)².
template <class D, class V = hn::Vec<D>>
HWY_INLINE V MishSlope(D d, V x) {
  using T = hn::TFromD<D>;
  const V one = hn::Set(d, 1), two = hn::Set(d, T(2));
  const V e = Exp(d, hn::Min(x, hn::Set(d, T(20))));  // beyond, the slope rounds to 1
  const V n = hn::Mul(e, hn::Add(e, two));
  const V inverse = hn::Div(one, hn::Add(n, two));
  const V bend = hn::Mul(hn::Mul(hn::Mul(hn::Set(d, T(4)), e), hn::Add(e, one)), inverse);
  const V bent = hn::Mul(hn::Min(x, hn::Set(d, T(20))), bend);
  return hn::Mul(hn::Add(n, bent), inverse);
}

template <class D, class V = hn::Vec<D>>
HWY_INLINE V ClipSlope(D d, V x, V low, V high) {
  return hn::IfThenElseZero(hn::And(hn::Ge(x, low), hn::Le(x, high)), hn::Set(d, 1));
}

}  // namespace HWY_NAMESPACE
}  // namespace maas
HWY_AFTER_NAMESPACE();

#endif  // MAAS_KERNELS_ACTIVATION_GRADIENT_INL_H_
