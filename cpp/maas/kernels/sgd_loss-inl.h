// The losses of stochastic gradient descent, each as value(d, p, y) and slope(d, p, y) = d value / d p, where
// p is the margin and y the target (-1 or +1 for a classification loss). Written once on vectors: the step
// uses one lane, the sum over an epoch all of them. Definitions are scikit-learn's (linear_model/_sgd_fast).

#if defined(MAAS_KERNELS_SGD_LOSS_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef MAAS_KERNELS_SGD_LOSS_INL_H_
#undef MAAS_KERNELS_SGD_LOSS_INL_H_
#else
#define MAAS_KERNELS_SGD_LOSS_INL_H_
#endif

#include "hwy/highway.h"
#include "maas/kernels/math-inl.h"

HWY_BEFORE_NAMESPACE();
namespace maas {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

// max(0, threshold - y p); threshold 1: support vector machine, 0: perceptron.
struct HingeLoss {
  double threshold;
  template <class D, class V>
  HWY_INLINE V value(D d, V p, V y) const {
    return hn::Max(hn::NegMulAdd(p, y, hn::Set(d, threshold)), hn::Zero(d));
  }
  template <class D, class V>
  HWY_INLINE V slope(D d, V p, V y) const {
    return hn::IfThenElseZero(hn::Le(hn::Mul(p, y), hn::Set(d, threshold)), hn::Neg(y));
  }
};

// max(0, 1 - y p)^2
struct SgdSquaredHingeLoss {
  template <class D, class V>
  HWY_INLINE V short_of_one(D d, V p, V y) const {
    return hn::Max(hn::NegMulAdd(p, y, hn::Set(d, 1.0)), hn::Zero(d));
  }
  template <class D, class V>
  HWY_INLINE V value(D d, V p, V y) const {
    const V z = short_of_one(d, p, y);
    return hn::Mul(z, z);
  }
  template <class D, class V>
  HWY_INLINE V slope(D d, V p, V y) const {
    return hn::Mul(hn::Mul(hn::Set(d, -2.0), y), short_of_one(d, p, y));
  }
};

// Squared hinge down to y p = -1, straight below.
struct ModifiedHuberLoss {
  template <class D, class V>
  HWY_INLINE V value(D d, V p, V y) const {
    const V z = hn::Mul(p, y);
    const V short_of_one = hn::Max(hn::Sub(hn::Set(d, 1.0), z), hn::Zero(d));
    return hn::IfThenElse(hn::Ge(z, hn::Set(d, -1.0)), hn::Mul(short_of_one, short_of_one),
                          hn::Mul(hn::Set(d, -4.0), z));
  }
  template <class D, class V>
  HWY_INLINE V slope(D d, V p, V y) const {
    const V short_of_one = hn::Sub(hn::Set(d, 1.0), hn::Mul(p, y));
    const V bounded = hn::Min(hn::Max(short_of_one, hn::Zero(d)), hn::Set(d, 2.0));
    return hn::Mul(hn::Mul(hn::Set(d, -2.0), y), bounded);
  }
};

// log(1 + exp(-y p))
struct LogLoss {
  template <class D, class V>
  HWY_INLINE V value(D d, V p, V y) const {
    return Softplus(d, hn::Neg(hn::Mul(p, y)));
  }
  template <class D, class V>
  HWY_INLINE V slope(D d, V p, V y) const {
    // exp may reach infinity; the quotient is then the zero it should be.
    return hn::Div(hn::Neg(y), hn::Add(hn::Set(d, 1.0), Exp(d, hn::Mul(p, y))));
  }
};

// (p - y)^2 / 2
struct SgdSquaredLoss {
  template <class D, class V>
  HWY_INLINE V value(D d, V p, V y) const {
    const V r = hn::Sub(p, y);
    return hn::Mul(hn::Mul(hn::Set(d, 0.5), r), r);
  }
  template <class D, class V>
  HWY_INLINE V slope(D, V p, V y) const {
    return hn::Sub(p, y);
  }
};

// Squared up to |p - y| = epsilon, straight beyond.
struct HuberLoss {
  double epsilon;
  template <class D, class V>
  HWY_INLINE V value(D d, V p, V y) const {
    const V e = hn::Set(d, epsilon);
    const V half = hn::Set(d, 0.5);
    const V r = hn::Abs(hn::Sub(p, y));
    return hn::IfThenElse(hn::Le(r, e), hn::Mul(hn::Mul(half, r), r), hn::Mul(e, hn::NegMulAdd(half, e, r)));
  }
  template <class D, class V>
  HWY_INLINE V slope(D d, V p, V y) const {
    const V e = hn::Set(d, epsilon);
    return hn::Min(hn::Max(hn::Sub(p, y), hn::Neg(e)), e);
  }
};

// max(0, |p - y| - epsilon)
struct EpsilonLoss {
  double epsilon;
  template <class D, class V>
  HWY_INLINE V value(D d, V p, V y) const {
    return hn::Max(hn::Sub(hn::Abs(hn::Sub(p, y)), hn::Set(d, epsilon)), hn::Zero(d));
  }
  template <class D, class V>
  HWY_INLINE V slope(D d, V p, V y) const {
    const V r = hn::Sub(p, y);
    return hn::IfThenElseZero(hn::Gt(hn::Abs(r), hn::Set(d, epsilon)), hn::CopySign(hn::Set(d, 1.0), r));
  }
};

// max(0, |p - y| - epsilon)^2
struct SquaredEpsilonLoss {
  double epsilon;
  template <class D, class V>
  HWY_INLINE V value(D d, V p, V y) const {
    const V beyond = EpsilonLoss{epsilon}.value(d, p, y);
    return hn::Mul(beyond, beyond);
  }
  template <class D, class V>
  HWY_INLINE V slope(D d, V p, V y) const {
    const V beyond = EpsilonLoss{epsilon}.value(d, p, y);
    return hn::CopySign(hn::Mul(hn::Set(d, 2.0), beyond), hn::Sub(p, y));
  }
};

}  // namespace HWY_NAMESPACE
}  // namespace maas
HWY_AFTER_NAMESPACE();

#endif  // MAAS_KERNELS_SGD_LOSS_INL_H_
