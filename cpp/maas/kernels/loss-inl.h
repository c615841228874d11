// One struct a loss, over vectors of rows. Per-target include guard: included again for each target.
#if defined(MAAS_KERNELS_LOSS_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef MAAS_KERNELS_LOSS_INL_H_
#undef MAAS_KERNELS_LOSS_INL_H_
#else
#define MAAS_KERNELS_LOSS_INL_H_
#endif

#include "hwy/highway.h"
#include "maas/kernels/math-inl.h"

HWY_BEFORE_NAMESPACE();
namespace maas {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

template <class V>
struct LossTerms {
  V value;
  V residual;   // dloss/dz
  V curvature;  // d²loss/dz²
};

struct SquaredLoss {
  template <class D, class V = hn::Vec<D>>
  static HWY_INLINE LossTerms<V> eval(D d, V z, V y) {
    const V r = hn::Sub(z, y);
    return {hn::Mul(hn::Mul(r, r), hn::Set(d, hn::TFromD<D>(0.5))), r, hn::Set(d, hn::TFromD<D>(1))};
  }
};

// With the signed margin m = (2y - 1)z and e = e^-|m|: nothing overflows, and where the loss is tiny its
// value, derivative and curvature all keep their relative accuracy.
struct LogisticLoss {
  template <class D, class V = hn::Vec<D>>
  static HWY_INLINE LossTerms<V> eval(D d, V z, V y) {
    const V one = hn::Set(d, hn::TFromD<D>(1));
    const V sign = hn::Sub(hn::Add(y, y), one);
    const V m = hn::Mul(sign, z);
    const V e = Exp(d, hn::Neg(hn::Abs(z)));
    const V inverse = hn::Div(one, hn::Add(one, e));
    const V miss = hn::Mul(hn::IfThenElse(hn::Lt(m, hn::Zero(d)), one, e), inverse);  // sigmoid(-m)
    return {hn::Add(hn::Max(hn::Neg(m), hn::Zero(d)), Log1pUnit(d, e)), hn::Neg(hn::Mul(sign, miss)),
            hn::Mul(hn::Mul(e, inverse), inverse)};
  }
};

// e^z overflows to an infinite value, which tells a solver that the step was too long.
struct PoissonLoss {
  template <class D, class V = hn::Vec<D>>
  static HWY_INLINE LossTerms<V> eval(D d, V z, V y) {
    const V mean = Exp(d, z);
    return {hn::NegMulAdd(y, z, mean), hn::Sub(mean, y), mean};
  }
};

struct SquaredHingeLoss {
  template <class D, class V = hn::Vec<D>>
  static HWY_INLINE LossTerms<V> eval(D d, V z, V y) {
    const V one = hn::Set(d, hn::TFromD<D>(1));
    const V two = hn::Set(d, hn::TFromD<D>(2));
    const V sign = hn::Sub(hn::Add(y, y), one);
    // 1 - m where the row misses its margin. A NaN counts as a miss, so that it shows in the sums.
    const V gap = hn::NegMulAdd(sign, z, one);
    const auto met = hn::Le(gap, hn::Zero(d));
    const V miss = hn::IfThenZeroElse(met, gap);
    return {hn::Mul(miss, miss), hn::Neg(hn::Mul(hn::Mul(two, sign), miss)), hn::IfThenZeroElse(met, two)};
  }
};

}  // namespace HWY_NAMESPACE
}  // namespace maas
HWY_AFTER_NAMESPACE();

#endif
