// x^y for vectors, with all special values of IEEE 754. float32 goes through float64; float64 carries log x
// and its product with y in two float64 values each. Error < 0.51 ULP for float32 and < 0.75 for float64 (0.4
// more where the result is subnormal), so powers that are exact come out exact.
#if defined(MAAS_KERNELS_POW_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef MAAS_KERNELS_POW_INL_H_
#undef MAAS_KERNELS_POW_INL_H_
#else
#define MAAS_KERNELS_POW_INL_H_
#endif

#include "hwy/highway.h"
#include "maas/kernels/math-inl.h"

HWY_BEFORE_NAMESPACE();
namespace maas {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

// An unevaluated sum; |low| is at most about half a unit of high's last place.
template <class V>
struct Pair {
  V high, low;
};

// The exact sum; |a| >= |b| or a = 0.
template <class D, class V = hn::Vec<D>>
HWY_INLINE Pair<V> FastTwoSum(D, V a, V b) {
  const V sum = hn::Add(a, b);
  return {sum, hn::Add(hn::Sub(a, sum), b)};
}

// The exact product.
template <class D, class V = hn::Vec<D>>
HWY_INLINE Pair<V> TwoProduct(D d, V a, V b) {
  const V product = hn::Mul(a, b);
#if !HWY_NATIVE_FMA  // by halves of 26 bits
  const V splitter = hn::Set(d, 134217729.0);
  const auto upper = [=](V v) HWY_ATTR {
    const V wide = hn::Mul(splitter, v);
    return hn::Sub(wide, hn::Sub(wide, v));
  };
  const V a1 = upper(a), b1 = upper(b), a2 = hn::Sub(a, a1), b2 = hn::Sub(b, b1);
  const V rest = hn::Add(hn::Add(hn::Sub(hn::Mul(a1, b1), product), hn::Mul(a1, b2)), hn::Mul(a2, b1));
  return {product, hn::Add(rest, hn::Mul(a2, b2))};
#else
  (void)d;
  return {product, hn::MulSub(a, b, product)};
#endif
}

template <class D, class V = hn::Vec<D>>
HWY_INLINE Pair<V> MultiplyPairs(D d, Pair<V> a, Pair<V> b) {
  Pair<V> out = TwoProduct(d, a.high, b.high);
  out.low = hn::Add(out.low, hn::MulAdd(a.high, b.low, hn::Mul(a.low, b.high)));
  return out;
}

// log m + k ln 2 to about 2^-64 of itself, for m in [sqrt(1/2), sqrt(2)): log m = 2 atanh s = 2 s + s^3 (2/3
// + 2/5 s^2 + ...), s = (m - 1) / (m + 1), |s| < 0.172.
template <class D, class V = hn::Vec<D>>
HWY_INLINE Pair<V> LogPair(D d, V m, V k) {
  static constexpr double kRest[] = {2.0 / 5,  2.0 / 7,  2.0 / 9,  2.0 / 11, 2.0 / 13, 2.0 / 15,
                                     2.0 / 17, 2.0 / 19, 2.0 / 21, 2.0 / 23, 2.0 / 25, 2.0 / 27};
  const V one = hn::Set(d, 1);
  const V f = hn::Sub(m, one);
  const V sum = hn::Add(one, m), m_again = hn::Sub(sum, one);
  const V sum_low = hn::Add(hn::Sub(one, hn::Sub(sum, m_again)), hn::Sub(m, m_again));
  Pair<V> s = {hn::Div(f, sum), hn::Zero(d)};
  const Pair<V> back = TwoProduct(d, s.high, sum);
  const V rest = hn::Sub(hn::Sub(hn::Sub(f, back.high), back.low), hn::Mul(s.high, sum_low));
  s.low = hn::Div(rest, sum);
  const Pair<V> z = MultiplyPairs(d, s, s);
  // The greatest of the terms beyond 2/3 is 0.012, so one value holds them.
  const V tail = hn::Mul(z.high, Polynomial(d, z.high, kRest));
  Pair<V> factor = FastTwoSum(d, hn::Set(d, 0x1.5555555555555p-1), tail);
  factor.low = hn::Add(factor.low, hn::Set(d, 0x1.5555555555555p-55));
  const Pair<V> cube = MultiplyPairs(d, MultiplyPairs(d, s, z), factor);
  Pair<V> log_m = FastTwoSum(d, hn::Add(s.high, s.high), cube.high);
  log_m.low = hn::Add(log_m.low, hn::Add(hn::Add(s.low, s.low), cube.low));
  // k times the high part of ln 2, which ends in 11 zero bits, is exact.
  Pair<V> out = FastTwoSum(d, hn::Mul(k, hn::Set(d, 0x1.62e42fefa3000p-1)), log_m.high);
  out.low = hn::Add(out.low, hn::MulAdd(k, hn::Set(d, 0x1.3de6af278ece6p-42), log_m.low));
  return out;
}

// e^(t.high + t.low).
template <class D, class V = hn::Vec<D>>
HWY_INLINE V ExpPair(D d, Pair<V> t) {
  using T = MathTable<double>;
  const hn::RebindToUnsigned<D> du;
  const V high = hn::Min(hn::Max(t.high, hn::Set(d, T::kExpMin)), hn::Set(d, T::kExpMax));
  const V low = hn::IfThenElseZero(hn::Eq(high, t.high), t.low);
  const V magic = hn::Set(d, double(3ull << (T::kMantissaBits - 1)) + 2 * T::kExponentBias);
  const V rounded = hn::MulAdd(high, hn::Set(d, T::kLog2E), magic);
  const V n = hn::Sub(rounded, magic);
  const V near = hn::NegMulAdd(n, hn::Set(d, T::kLn2High), high);  // exact
  const V part = hn::Sub(hn::Mul(n, hn::Set(d, T::kLn2Low)), low);
  const V r = hn::Sub(near, part);
  const V r_low = hn::Sub(hn::Sub(near, r), part);
  const V square = hn::Mul(hn::Mul(r, r), Polynomial(d, r, T::kExp));
  const Pair<V> one_r = FastTwoSum(d, hn::Set(d, 1), r);
  const V small = hn::Add(one_r.low, hn::Add(square, hn::MulAdd(r, r_low, r_low)));
  const V result = hn::Add(one_r.high, small);
  const auto bits = hn::BitCast(du, rounded);
  const auto half = hn::ShiftRight<1>(bits);
  const V scale1 = hn::BitCast(d, hn::ShiftLeft<T::kMantissaBits>(half));
  const V scale2 = hn::BitCast(d, hn::ShiftLeft<T::kMantissaBits>(hn::Sub(bits, half)));
  return hn::Mul(hn::Mul(result, scale1), scale2);
}

// x^y for finite x > 0 and any y but NaN.
template <class D, class V = hn::Vec<D>>
HWY_INLINE V PowPositive(D d, V x, V y) {
  const V scale = hn::Set(d, 0x1p53);
  const auto subnormal = hn::Lt(x, hn::Set(d, std::numeric_limits<double>::min()));
  const LogParts<D> parts = ReduceLog(d, hn::IfThenElse(subnormal, hn::Mul(x, scale), x));
  const V k = hn::Sub(parts.k, hn::IfThenElseZero(subnormal, hn::Set(d, 53.0)));
  const Pair<V> log_x = LogPair(d, parts.m, k);
  // Beyond this e^(y log x) is 0 or infinite whatever log x > 2^-53 is, and products stay finite.
  const V limit = hn::Set(d, 0x1p64);
  const V power = hn::Min(hn::Max(y, hn::Neg(limit)), limit);
  Pair<V> t = TwoProduct(d, power, log_x.high);
  t.low = hn::MulAdd(power, log_x.low, t.low);
  return ExpPair(d, t);
}

// The special values, around `magnitude` = |x|^y where x is finite and not 0.
template <class D, class V = hn::Vec<D>>
HWY_INLINE V PowSpecial(D d, V x, V y, V magnitude) {
  const V zero = hn::Zero(d), one = hn::Set(d, 1), infinity = hn::Inf(d);
  const V ax = hn::Abs(x);
  const auto rises = hn::Gt(y, zero);
  // 0 and infinity to any power, and any to an infinite power, by whether they grow.
  const V at_zero = hn::IfThenZeroElse(rises, infinity), at_infinity = hn::IfThenElseZero(rises, infinity);
  V result = hn::IfThenElse(hn::Eq(ax, zero), at_zero, magnitude);
  result = hn::IfThenElse(hn::Eq(ax, infinity), at_infinity, result);
  const V limit = hn::IfThenElse(hn::Gt(ax, one), at_infinity, hn::IfThenElse(hn::Eq(ax, one), one, at_zero));
  result = hn::IfThenElse(hn::Eq(hn::Abs(y), infinity), limit, result);
  const V half = hn::Mul(y, hn::Set(d, 0.5));
  const auto whole = hn::Eq(hn::Floor(y), y);
  const auto odd = hn::AndNot(hn::Eq(hn::Floor(half), half), whole);
  const auto negative = hn::And(hn::Lt(x, zero), hn::Lt(ax, infinity));
  result = hn::IfThenElse(odd, hn::CopySign(result, x), result);
  result = hn::IfThenElse(hn::AndNot(whole, negative), CanonicalNaN(d), result);
  result = hn::IfThenElse(hn::Or(hn::IsNaN(x), hn::IsNaN(y)), CanonicalNaN(d), result);
  return hn::IfThenElse(hn::Or(hn::Eq(x, one), hn::Eq(y, zero)), one, result);
}

template <class D, class V = hn::Vec<D>, hwy::EnableIf<sizeof(hn::TFromD<D>) == 8>* = nullptr>
HWY_INLINE V Pow(D d, V x, V y) {
  return PowSpecial(d, x, y, PowPositive(d, hn::Abs(x), y));
}

template <class D, class V = hn::Vec<D>, hwy::EnableIf<sizeof(hn::TFromD<D>) == 4>* = nullptr>
HWY_INLINE V Pow(D d, V x, V y) {
  const hn::Half<D> dh;
  const hn::Rebind<double, decltype(dh)> wide;
  const auto of = [=](auto a, auto b) HWY_ATTR {
    const auto wa = hn::PromoteTo(wide, a), wb = hn::PromoteTo(wide, b);
    const auto power = Exp(wide, hn::Mul(wb, Log(wide, hn::Abs(wa))));
    return hn::DemoteTo(dh, PowSpecial(wide, wa, wb, power));
  };
  return hn::Combine(d, of(hn::UpperHalf(dh, x), hn::UpperHalf(dh, y)),
                     of(hn::LowerHalf(dh, x), hn::LowerHalf(dh, y)));
}

}  // namespace HWY_NAMESPACE
}  // namespace maas
HWY_AFTER_NAMESPACE();

#endif  // MAAS_KERNELS_POW_INL_H_
