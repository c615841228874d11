// Losses that are a function of one prediction p and one target t each. eval() gives value and derivative
// with respect to p. Include per target.
#if defined(MAAS_KERNELS_ELEMENT_LOSS_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef MAAS_KERNELS_ELEMENT_LOSS_INL_H_
#undef MAAS_KERNELS_ELEMENT_LOSS_INL_H_
#else
#define MAAS_KERNELS_ELEMENT_LOSS_INL_H_
#endif

#include "hwy/highway.h"
#include "maas/kernels/activation-inl.h"
#include "maas/kernels/math-inl.h"

HWY_BEFORE_NAMESPACE();
namespace maas {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

// Keras's epsilon: probabilities stay this far from 0 and 1.
template <class T>
inline constexpr T kLeastProbability = static_cast<T>(1e-7);
template <class T>
inline constexpr T kMostProbability = static_cast<T>(1.0 - 1e-7);

template <class V>
struct ElementTerm {
  V value, slope;
};

template <class T>
struct SquaredError {
  template <class D, class V = hn::Vec<D>>
  HWY_INLINE ElementTerm<V> eval(D /* d */, V p, V t) const {
    const V e = hn::Sub(p, t);
    return {hn::Mul(e, e), hn::Add(e, e)};
  }
};

template <class T>
struct AbsoluteError {
  template <class D, class V = hn::Vec<D>>
  HWY_INLINE ElementTerm<V> eval(D d, V p, V t) const {
    const V e = hn::Sub(p, t);
    const V sign = hn::CopySign(hn::Set(d, T(1)), e);
    return {hn::Abs(e), hn::IfThenZeroElse(hn::Eq(e, hn::Zero(d)), sign)};
  }
};

// e² / 2 up to delta, a line of that slope beyond.
template <class T>
struct HuberError {
  T delta;
  template <class D, class V = hn::Vec<D>>
  HWY_INLINE ElementTerm<V> eval(D d, V p, V t) const {
    const V e = hn::Sub(p, t), size = hn::Abs(e);
    const V limit = hn::Set(d, delta), half = hn::Set(d, T(0.5));
    const auto inside = hn::Le(size, limit);
    const V line = hn::Mul(limit, hn::NegMulAdd(half, limit, size));
    return {hn::IfThenElse(inside, hn::Mul(half, hn::Mul(e, e)), line),
            hn::IfThenElse(inside, e, hn::CopySign(limit, e))};
  }
};

// log(1 + e^-|z|) + |z| (1 - t where z > 0, else t): no overflow, no difference of large numbers. Targets
// become keep t + add.
template <class T>
struct BinaryLogits {
  T keep, add;
  template <class D, class V = hn::Vec<D>>
  HWY_INLINE ElementTerm<V> eval(D d, V z, V t) const {
    const V zero = hn::Zero(d), one = hn::Set(d, T(1));
    t = hn::MulAdd(t, hn::Set(d, keep), hn::Set(d, add));
    const V rest = hn::Sub(one, t);
    const auto positive = hn::Gt(z, zero);
    const V miss = hn::IfThenElse(positive, rest, t);
    const V size = hn::Abs(z);
    const V e = Exp(d, hn::Neg(size));
    const V lost = hn::IfThenZeroElse(hn::Eq(miss, zero), hn::Mul(size, miss));
    const V inverse = hn::Div(one, hn::Add(one, e));
    const V small = hn::Mul(e, inverse);  // sigmoid(-|z|)
    const V yes = hn::IfThenElse(positive, inverse, small), no = hn::IfThenElse(positive, small, inverse);
    return {hn::Add(Log1pUnit(d, e), lost), hn::MulSub(rest, yes, hn::Mul(t, no))};
  }
};

template <class T>
struct BinaryProbability {
  T keep, add;
  template <class D, class V = hn::Vec<D>>
  HWY_INLINE ElementTerm<V> eval(D d, V p, V t) const {
    const V one = hn::Set(d, T(1));
    const V low = hn::Set(d, kLeastProbability<T>), high = hn::Set(d, kMostProbability<T>);
    t = hn::MulAdd(t, hn::Set(d, keep), hn::Set(d, add));
    const V q = Clip(d, p, low, high), other = hn::Sub(one, q);
    const V sum = hn::MulAdd(t, Log(d, q), hn::Mul(hn::Sub(one, t), Log(d, other)));
    const V slope = hn::Div(hn::Sub(q, t), hn::Mul(q, other));
    const auto inside = hn::And(hn::Ge(p, low), hn::Le(p, high));
    return {hn::Neg(sum), hn::IfThenElseZero(inside, slope)};
  }
};

// max(0, 1 - t p), or its square; a target of 0 counts as -1. A NaN counts as a miss.
template <class T, bool kSquared>
struct HingeError {
  template <class D, class V = hn::Vec<D>>
  HWY_INLINE ElementTerm<V> eval(D d, V p, V t) const {
    const V zero = hn::Zero(d), one = hn::Set(d, T(1));
    t = hn::IfThenElse(hn::Eq(t, zero), hn::Neg(one), t);
    const V gap = hn::NegMulAdd(t, p, one);
    const auto met = hn::Le(gap, zero);
    const V miss = hn::IfThenZeroElse(met, gap);
    if (kSquared) return {hn::Mul(miss, miss), hn::Mul(hn::Neg(hn::Add(t, t)), miss)};
    return {miss, hn::IfThenZeroElse(met, hn::Neg(t))};
  }
};

// p - t log(p + 1e-7).
template <class T>
struct PoissonError {
  template <class D, class V = hn::Vec<D>>
  HWY_INLINE ElementTerm<V> eval(D d, V p, V t) const {
    const V raised = hn::Add(p, hn::Set(d, kLeastProbability<T>));
    return {hn::NegMulAdd(t, Log(d, raised), p), hn::Sub(hn::Set(d, T(1)), hn::Div(t, raised))};
  }
};

// The same of p = e^z, without the limit: e^z - t z.
template <class T>
struct PoissonLogits {
  template <class D, class V = hn::Vec<D>>
  HWY_INLINE ElementTerm<V> eval(D d, V z, V t) const {
    const V rate = Exp(d, z);
    return {hn::NegMulAdd(t, z, rate), hn::Sub(rate, t)};
  }
};

// t log(t / p), both in [1e-7, 1].
template <class T>
struct Divergence {
  template <class D, class V = hn::Vec<D>>
  HWY_INLINE ElementTerm<V> eval(D d, V p, V t) const {
    const V low = hn::Set(d, kLeastProbability<T>), one = hn::Set(d, T(1));
    const V own = Clip(d, t, low, one), q = Clip(d, p, low, one);
    const V slope = hn::Neg(hn::Div(own, q));
    const auto inside = hn::And(hn::Ge(p, low), hn::Le(p, one));
    return {hn::Mul(own, Log(d, hn::Div(own, q))), hn::IfThenElseZero(inside, slope)};
  }
};

}  // namespace HWY_NAMESPACE
}  // namespace maas
HWY_AFTER_NAMESPACE();

#endif
