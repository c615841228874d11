// exp, log and their relatives for vectors of float32 or float64. The same operations on every target, so the
// same bits wherever there is FMA; no branches, no tables in memory, no approximate reciprocals.
//
// Error in ULP, worst seen against long double over the whole range (tests/cpp/kernels/math_test.cc):
// Exp, Log, Log1p < 1; Erf < 1.5; Expm1, Softplus < 2; Sigmoid, Tanh < 2.5; without FMA up to 0.5 more.
// Over every float32 with a finite, nonzero result: Exp 0.935, Log 0.829.
// NaN in gives the canonical quiet NaN out. Subnormals in and out are exact to the same bounds.

#if defined(MAAS_KERNELS_MATH_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef MAAS_KERNELS_MATH_INL_H_
#undef MAAS_KERNELS_MATH_INL_H_
#else
#define MAAS_KERNELS_MATH_INL_H_
#endif

#include <limits>

#include "hwy/highway.h"
#include "maas/kernels/canonical-inl.h"
#include "maas/kernels/math_coefficients.h"

HWY_BEFORE_NAMESPACE();
namespace maas {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

// c[0] + c[1] x + ... as two interleaved Horner chains: half the latency for one more multiplication.
template <class D, size_t kCount, class V = hn::Vec<D>>
HWY_INLINE V Polynomial(D d, V x, const hn::TFromD<D> (&c)[kCount]) {
  static_assert(kCount >= 3, "too short to split");
  const V x2 = hn::Mul(x, x);
  V upper = hn::Set(d, c[kCount - 1]);  // powers kCount-1, kCount-3, ...
  V lower = hn::Set(d, c[kCount - 2]);  // powers kCount-2, kCount-4, ...
  for (size_t k = kCount - 2; k >= 2; k -= 2) {
    upper = hn::MulAdd(upper, x2, hn::Set(d, c[k - 1]));
    lower = hn::MulAdd(lower, x2, hn::Set(d, c[k - 2]));
  }
  if (kCount % 2 == 0) return hn::MulAdd(upper, x, lower);
  return hn::MulAdd(lower, x, hn::MulAdd(upper, x2, hn::Set(d, c[0])));
}

template <class D>
using Table = MathTable<hn::TFromD<D>>;

// e^x = (1 + p) * scale1 * scale2 with |p| < 0.42. The power of two is split in half so that both factors are
// normal numbers and only the last multiplication can overflow or round to a subnormal.
template <class V>
struct ExpParts {
  V p, scale1, scale2;
};

template <class D, class V = hn::Vec<D>>
HWY_INLINE ExpParts<V> ReduceExp(D d, V x) {
  using T = Table<D>;
  const hn::RebindToUnsigned<D> du;
  x = hn::Min(hn::Max(x, hn::Set(d, T::kExpMin)), hn::Set(d, T::kExpMax));
  // Adding 1.5 * 2^mantissa rounds to an integer and leaves it, plus twice the bias, in the low bits.
  const V magic = hn::Set(d, hn::TFromD<D>(3ull << (T::kMantissaBits - 1)) + 2 * T::kExponentBias);
  const V rounded = hn::MulAdd(x, hn::Set(d, T::kLog2E), magic);
  const V n = hn::Sub(rounded, magic);
  const V high = hn::NegMulAdd(n, hn::Set(d, T::kLn2High), x);  // exact
  const V low = hn::Mul(n, hn::Set(d, T::kLn2Low));
  const V r = hn::Sub(high, low);
  // The low part joins the small terms, so that p is rounded once: 0.75 ULP instead of 1.05 for e^x.
  const V p = hn::Add(high, hn::MulSub(hn::Mul(r, r), Polynomial(d, r, T::kExp), low));
  const auto bits = hn::BitCast(du, rounded);
  const auto half = hn::ShiftRight<1>(bits);
  return {p, hn::BitCast(d, hn::ShiftLeft<T::kMantissaBits>(half)),
          hn::BitCast(d, hn::ShiftLeft<T::kMantissaBits>(hn::Sub(bits, half)))};
}

template <class D, class V = hn::Vec<D>>
HWY_INLINE V Exp(D d, V x) {
  const ExpParts<V> e = ReduceExp(d, x);
  const V result = hn::Mul(hn::MulAdd(e.p, e.scale1, e.scale1), e.scale2);
  return hn::IfThenElse(hn::IsNaN(x), CanonicalNaN(d), result);
}

// e^x - 1, accurate near zero too.
template <class D, class V = hn::Vec<D>>
HWY_INLINE V Expm1(D d, V x) {
  using T = Table<D>;
  const hn::RebindToUnsigned<D> du;
  const ExpParts<V> e = ReduceExp(d, x);
  // 1 / scale2, by negating its exponent.
  const auto twice_bias = hn::Set(du, typename T::Bits{2 * T::kExponentBias} << T::kMantissaBits);
  const V one_scaled = hn::BitCast(d, hn::Sub(twice_bias, hn::BitCast(du, e.scale2)));
  const V result = hn::Mul(hn::MulAdd(e.p, e.scale1, hn::Sub(e.scale1, one_scaled)), e.scale2);
  return hn::IfThenElse(hn::IsNaN(x), CanonicalNaN(d), hn::CopySign(result, x));  // -0 stays -0
}

// k ln 2 + log(1 + f) + correction, for integral k, |f / (2 + f)| <= 0.2 and a tiny correction.
template <class D, class V = hn::Vec<D>>
HWY_INLINE V LogReduced(D d, V k, V f, V correction) {
  using T = Table<D>;
  const V s = hn::Div(f, hn::Add(hn::Set(d, 2), f));
  const V z = hn::Mul(s, s);
  const V half_f2 = hn::Mul(hn::Mul(hn::Set(d, hn::TFromD<D>(0.5)), f), f);
  // log(1 + f) = f - f^2/2 + s (f^2/2 + z P(z)): f itself is exact, so its rounding error never enters.
  const V tail = hn::MulAdd(z, Polynomial(d, z, T::kLog), half_f2);
  const V low = hn::MulAdd(s, tail, hn::MulAdd(k, hn::Set(d, T::kLn2Low), correction));
  return hn::MulAdd(k, hn::Set(d, T::kLn2High), hn::Sub(f, hn::Sub(half_f2, low)));
}

// x = m * 2^k with m in [sqrt(1/2), sqrt(2)), for normal positive x; also the biased exponent field of 2^k.
template <class D>
struct LogParts {
  hn::Vec<D> m, k;
  hn::Vec<hn::RebindToUnsigned<D>> biased;
};

template <class D, class V = hn::Vec<D>>
HWY_INLINE LogParts<D> ReduceLog(D d, V x) {
  using T = Table<D>;
  using TU = typename T::Bits;
  const hn::RebindToUnsigned<D> du;
  constexpr TU kOne = TU{T::kExponentBias} << T::kMantissaBits;
  constexpr TU kMantissa = (TU{1} << T::kMantissaBits) - 1;
  const auto bits = hn::Add(hn::BitCast(du, x), hn::Set(du, kOne - T::kSqrtHalfBits));
  const auto biased = hn::ShiftRight<T::kMantissaBits>(bits);
  const auto m = hn::Add(hn::And(bits, hn::Set(du, kMantissa)), hn::Set(du, T::kSqrtHalfBits));
  // Integer to float without a conversion AVX2 lacks: the bits of 2^mantissa + biased, less 2^mantissa +
  // bias.
  constexpr auto kTwoPow = hn::TFromD<D>(TU{1} << T::kMantissaBits);
  const V shifted = hn::BitCast(d, hn::Or(biased, hn::BitCast(du, hn::Set(d, kTwoPow))));
  return {hn::BitCast(d, m), hn::Sub(shifted, hn::Set(d, kTwoPow + T::kExponentBias)), biased};
}

// -inf for `pole`, NaN below it (and for NaN), +inf for +inf, `result` elsewhere.
template <class D, class V = hn::Vec<D>>
HWY_INLINE V LogLimits(D d, V x, hn::TFromD<D> pole, V result) {
  const V infinity = hn::Inf(d);
  result = hn::IfThenElse(hn::Eq(x, infinity), infinity, result);
  result = hn::IfThenElse(hn::Eq(x, hn::Set(d, pole)), hn::Neg(infinity), result);
  return hn::IfThenElse(hn::Ge(x, hn::Set(d, pole)), result, CanonicalNaN(d));
}

template <class D, class V = hn::Vec<D>>
HWY_INLINE V Log(D d, V x) {
  using T = Table<D>;
  using TF = hn::TFromD<D>;
  constexpr TF kTwoPow = TF(uint64_t{1} << (T::kMantissaBits + 1));  // makes subnormals normal
  const auto subnormal = hn::Lt(x, hn::Set(d, std::numeric_limits<TF>::min()));
  const LogParts<D> parts = ReduceLog(d, hn::IfThenElse(subnormal, hn::Mul(x, hn::Set(d, kTwoPow)), x));
  const V k = hn::Sub(parts.k, hn::IfThenElseZero(subnormal, hn::Set(d, TF(T::kMantissaBits + 1))));
  const V f = hn::Sub(parts.m, hn::Set(d, 1));
  return LogLimits(d, x, TF(0), LogReduced(d, k, f, hn::Zero(d)));
}

// log(1 + x), accurate near zero too.
template <class D, class V = hn::Vec<D>>
HWY_INLINE V Log1p(D d, V x) {
  using T = Table<D>;
  using TF = hn::TFromD<D>;
  const hn::RebindToUnsigned<D> du;
  const V one = hn::Set(d, 1);
  const V u = hn::Add(one, x);
  const LogParts<D> parts = ReduceLog(d, u);
  // What rounding 1 + x lost, scaled by 2^-k. It shifts the result by lost/m; a straight line for 1/m is
  // within 6 %, that is 0.03 ULP of the result.
  const V u_less_x = hn::Sub(u, x);
  const V lost = hn::Add(hn::Sub(one, u_less_x), hn::Sub(x, hn::Sub(u, u_less_x)));
  const auto twice_bias = hn::Set(du, typename T::Bits{2 * T::kExponentBias});
  const V scale = hn::BitCast(d, hn::ShiftLeft<T::kMantissaBits>(hn::Sub(twice_bias, parts.biased)));
  const V inverse_m = hn::NegMulAdd(hn::Set(d, TF(0.94118)), parts.m, hn::Set(d, TF(1.99652)));
  const auto one_matters = hn::Lt(x, hn::Set(d, TF(uint64_t{4} << T::kMantissaBits)));
  const V correction = hn::IfThenElseZero(one_matters, hn::Mul(hn::Mul(lost, scale), inverse_m));
  // No exponent to take out: x itself is the exact f.
  const auto small = hn::Eq(parts.k, hn::Zero(d));
  const V f = hn::IfThenElse(small, x, hn::Sub(parts.m, one));
  const V result = LogReduced(d, parts.k, f, hn::IfThenZeroElse(small, correction));
  return LogLimits(d, x, TF(-1), hn::CopySign(result, x));  // -0 stays -0
}

// log(1 + t) for t in [0, 1] only (and NaN): half the work of Log1p.
template <class D, class V = hn::Vec<D>>
HWY_INLINE V Log1pUnit(D d, V t) {
  using TF = hn::TFromD<D>;
  const V half = hn::Set(d, TF(0.5));
  const V one = hn::Set(d, 1);
  const auto small = hn::Lt(t, half);
  // From 1/2 up, log(1 + t) = ln 2 + log(1 + (t - 1)/2), where (t - 1)/2 is exact.
  const V f = hn::IfThenElse(small, t, hn::Mul(hn::Sub(t, one), half));
  return LogReduced(d, hn::IfThenZeroElse(small, one), f, hn::Zero(d));
}

// 1 / (1 + e^-x). One division; never overflows, and keeps its relative accuracy down to subnormals.
template <class D, class V = hn::Vec<D>>
HWY_INLINE V SigmoidFromExp(D d, V x, V exp_minus_abs_x) {
  const V one = hn::Set(d, 1);
  const V numerator = hn::IfThenElse(hn::Lt(x, hn::Zero(d)), exp_minus_abs_x, one);
  const V result = hn::Div(numerator, hn::Add(one, exp_minus_abs_x));
  return hn::IfThenElse(hn::IsNaN(x), CanonicalNaN(d), result);
}

template <class D, class V = hn::Vec<D>>
HWY_INLINE V Sigmoid(D d, V x) {
  return SigmoidFromExp(d, x, Exp(d, hn::Neg(hn::Abs(x))));
}

// log(1 + e^x) = max(x, 0) + log(1 + e^-|x|).
template <class D, class V = hn::Vec<D>>
HWY_INLINE V SoftplusFromExp(D d, V x, V exp_minus_abs_x) {
  const V result = hn::Add(hn::Max(x, hn::Zero(d)), Log1pUnit(d, exp_minus_abs_x));
  return hn::IfThenElse(hn::IsNaN(x), CanonicalNaN(d), result);
}

template <class D, class V = hn::Vec<D>>
HWY_INLINE V Softplus(D d, V x) {
  return SoftplusFromExp(d, x, Exp(d, hn::Neg(hn::Abs(x))));
}

// Logistic loss and its derivative share one exponential: sets `softplus`, returns the sigmoid.
template <class D, class V = hn::Vec<D>>
HWY_INLINE V SigmoidAndSoftplus(D d, V x, V& softplus) {
  const V e = Exp(d, hn::Neg(hn::Abs(x)));
  softplus = SoftplusFromExp(d, x, e);
  return SigmoidFromExp(d, x, e);
}

// -expm1(-2|x|) / (2 + expm1(-2|x|)), with the sign of x.
template <class D, class V = hn::Vec<D>>
HWY_INLINE V Tanh(D d, V x) {
  const V t = Expm1(d, hn::Mul(hn::Set(d, -2), hn::Abs(x)));
  const V result = hn::CopySign(hn::Div(t, hn::Add(hn::Set(d, 2), t)), x);
  return hn::IfThenElse(hn::IsNaN(x), CanonicalNaN(d), result);
}

template <class D, class V = hn::Vec<D>>
HWY_INLINE V Erf(D d, V x) {
  using T = Table<D>;
  const V one = hn::Set(d, 1);
  const V magnitude = hn::Abs(x);
  const V near = hn::MulAdd(x, Polynomial(d, hn::Mul(x, x), T::kErfNear), x);
  const V a = hn::Min(magnitude, hn::Set(d, T::kErfMax));
  const V centre = hn::Set(d, T::kErfCentre);
  const V t = hn::Div(hn::Sub(a, centre), hn::Add(a, centre));
  const V complement = hn::Mul(Exp(d, hn::Neg(hn::Mul(a, a))), Polynomial(d, t, T::kErfFar));
  const V far = hn::CopySign(hn::Sub(one, complement), x);
  const V result = hn::IfThenElse(hn::Lt(magnitude, one), near, far);
  return hn::IfThenElse(hn::IsNaN(x), CanonicalNaN(d), result);
}

}  // namespace HWY_NAMESPACE
}  // namespace maas
HWY_AFTER_NAMESPACE();

#endif  // MAAS_KERNELS_MATH_INL_H_
