// Cross-entropy of several classes over rows, from logits and from probabilities, with one number or one
// column a class for a target. Include per target.
#if defined(MAAS_KERNELS_CLASS_LOSS_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef MAAS_KERNELS_CLASS_LOSS_INL_H_
#undef MAAS_KERNELS_CLASS_LOSS_INL_H_
#else
#define MAAS_KERNELS_CLASS_LOSS_INL_H_
#endif

#include <limits>

#include "hwy/highway.h"
#include "maas/kernels/activation-inl.h"
#include "maas/kernels/element_loss-inl.h"
#include "maas/kernels/loss_panel-inl.h"
#include "maas/kernels/math-inl.h"

HWY_BEFORE_NAMESPACE();
namespace maas {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

// What is taken off logits before e^x: their maximum, or 0 where that is infinite.
template <class D, class V = hn::Vec<D>>
HWY_INLINE V FiniteOrZero(D d, V top) {
  return hn::IfThenElseZero(hn::Lt(hn::Abs(top), hn::Inf(d)), top);
}

// A class number that is none has no target of 1: the loss is NaN.
template <class D, class V = hn::Vec<D>>
HWY_INLINE V ValidOrNaN(D d, bool sparse, V targets, V value) {
  if (!sparse) return value;
  return hn::IfThenElse(hn::Eq(targets, hn::Zero(d)), CanonicalNaN(d), value);
}

// t (shift - z), where a class that is not meant adds nothing even at z = -inf.
template <class D, class V = hn::Vec<D>>
HWY_INLINE V LogitCost(D d, V t, V shift, V z) {
  return hn::IfThenZeroElse(hn::Eq(t, hn::Zero(d)), hn::Mul(t, hn::Sub(shift, z)));
}

// Of one probability q = p / Σ p: -t log q and t / q, which is 0 where q is clipped.
template <class D, class V = hn::Vec<D>>
HWY_INLINE ElementTerm<V> ProbabilityTerm(D d, V t, V q) {
  using T = hn::TFromD<D>;
  const V low = hn::Set(d, kLeastProbability<T>), high = hn::Set(d, kMostProbability<T>);
  const auto inside = hn::And(hn::Ge(q, low), hn::Le(q, high));
  return {hn::Neg(hn::Mul(t, Log(d, Clip(d, q, low, high)))), hn::IfThenElseZero(inside, hn::Div(t, q))};
}

// Narrow rows: vectors over rows of a panel. Column j of each is at j * kPanelRows + i.
template <class T>
class PanelClasses {
 public:
  PanelClasses(const LossRows<T>& s, LossPanel<T>& panel)
      : sparse_(s.kind == LossKind::kSparseCategoricalCrossentropy),
        keep_(sparse_ ? T(1) : T(1) - s.label_smoothing),
        add_(sparse_ ? T(0) : s.label_smoothing / static_cast<T>(s.cols)),
        scale_(s.gradient_scale),
        cols_(s.cols),
        panel_(panel) {}

  // Row losses of rows i...; the derivatives go to the panel.
  template <class D, class V = hn::Vec<D>>
  HWY_INLINE V of_logits(D d, size_t i) const {
    const auto logit = [&](size_t j) HWY_ATTR { return hn::Load(d, panel_.prediction + j * kPanelRows + i); };
    V top = logit(0);
    for (size_t j = 1; j < cols_; ++j) top = hn::Max(top, logit(j));
    const V shift = FiniteOrZero(d, top);
    V sum = hn::Zero(d), targets = hn::Zero(d), cost = hn::Zero(d);
    for (size_t j = 0; j < cols_; ++j) {
      const V e = Exp(d, hn::Sub(logit(j), shift)), t = target(d, i, j);
      hn::Store(e, d, panel_.gradient + j * kPanelRows + i);
      sum = hn::Add(sum, e);
      targets = hn::Add(targets, t);
      cost = hn::Add(cost, LogitCost(d, t, shift, logit(j)));
    }
    const V share = hn::Div(targets, sum), scale = row_scale(d, i);
    for (size_t j = 0; j < cols_; ++j) {
      T* at = panel_.gradient + j * kPanelRows + i;
      hn::Store(hn::Mul(hn::MulSub(hn::Load(d, at), share, target(d, i, j)), scale), d, at);
    }
    return ValidOrNaN(d, sparse_, targets, hn::MulAdd(targets, Log(d, sum), cost));
  }

  template <class D, class V = hn::Vec<D>>
  HWY_INLINE V of_probabilities(D d, size_t i) const {
    const auto given = [&](size_t j) HWY_ATTR { return hn::Load(d, panel_.prediction + j * kPanelRows + i); };
    V sum = given(0);
    for (size_t j = 1; j < cols_; ++j) sum = hn::Add(sum, given(j));
    V value = hn::Zero(d), mean = hn::Zero(d), targets = hn::Zero(d);
    for (size_t j = 0; j < cols_; ++j) {
      const V q = hn::Div(given(j), sum), t = target(d, i, j);
      const ElementTerm<V> term = ProbabilityTerm(d, t, q);
      hn::Store(term.slope, d, panel_.gradient + j * kPanelRows + i);
      value = hn::Add(value, term.value);
      mean = hn::MulAdd(term.slope, q, mean);
      targets = hn::Add(targets, t);
    }
    const V scale = hn::Div(row_scale(d, i), sum);
    for (size_t j = 0; j < cols_; ++j) {
      T* at = panel_.gradient + j * kPanelRows + i;
      hn::Store(hn::Mul(hn::Sub(mean, hn::Load(d, at)), scale), d, at);
    }
    return ValidOrNaN(d, sparse_, targets, value);
  }

 private:
  template <class D, class V = hn::Vec<D>>
  HWY_INLINE V target(D d, size_t i, size_t j) const {
    if (sparse_) {
      const auto own = hn::Eq(hn::Load(d, panel_.target + i), hn::Set(d, static_cast<T>(j)));
      return hn::IfThenElseZero(own, hn::Set(d, T(1)));
    }
    return hn::MulAdd(hn::Load(d, panel_.target + j * kPanelRows + i), hn::Set(d, keep_), hn::Set(d, add_));
  }
  template <class D, class V = hn::Vec<D>>
  HWY_INLINE V row_scale(D d, size_t i) const {
    return hn::Mul(hn::Load(d, panel_.weight + i), hn::Set(d, scale_));
  }

  bool sparse_;
  T keep_, add_, scale_;
  size_t cols_;
  LossPanel<T>& panel_;
};

// One wide row: vectors over its columns.
template <class T>
class RowClasses {
 public:
  using D = hn::ScalableTag<T>;
  using V = hn::Vec<D>;

  RowClasses(const LossRows<T>& s, size_t i)
      : sparse_(s.kind == LossKind::kSparseCategoricalCrossentropy),
        keep_(sparse_ ? T(1) : T(1) - s.label_smoothing),
        add_(sparse_ ? T(0) : s.label_smoothing / static_cast<T>(s.cols)),
        scale_(s.gradient_scale * (s.weight == nullptr ? T(1) : s.weight[i])),
        cols_(s.cols),
        prediction_(s.prediction + i * s.ld),
        target_(s.target + i * s.target_ld),
        gradient_(s.gradient == nullptr ? nullptr : s.gradient + i * s.ld) {}

  T of_logits() const {
    const D d;
    const V shift = FiniteOrZero(d, hn::Set(d, largest()));
    V sums[kSumVectors<D>], costs[kSumVectors<D>], targets[kSumVectors<D>];
    clear(sums), clear(costs), clear(targets);
    ForVectors(d, cols_, [&](size_t v, size_t k) HWY_ATTR {
      const V z = hn::Load(d, prediction_ + k), t = target(k);
      const V e = UpTo(d, k, cols_, Exp(d, hn::Sub(z, shift)));
      sums[v] = hn::Add(sums[v], e);
      costs[v] = hn::Add(costs[v], LogitCost(d, t, shift, z));
      targets[v] = hn::Add(targets[v], t);
      if (gradient_ != nullptr) hn::Store(e, d, gradient_ + k);
    });
    const V sum = hn::Set(d, CombinePartials(d, sums)), total = hn::Set(d, CombinePartials(d, targets));
    if (gradient_ != nullptr) {
      const V share = hn::Div(total, sum), scale = hn::Set(d, scale_);
      ForVectors(d, cols_, [&](size_t, size_t k) HWY_ATTR {
        const V difference = hn::MulSub(hn::Load(d, gradient_ + k), share, target(k));
        hn::Store(hn::Mul(difference, scale), d, gradient_ + k);
      });
    }
    const V cost = hn::Set(d, CombinePartials(d, costs));
    return hn::GetLane(ValidOrNaN(d, sparse_, total, hn::MulAdd(total, Log(d, sum), cost)));
  }

  T of_probabilities() const {
    const D d;
    V sums[kSumVectors<D>], means[kSumVectors<D>], targets[kSumVectors<D>];
    clear(sums), clear(means), clear(targets);
    ForVectors(d, cols_, [&](size_t v, size_t k) HWY_ATTR {
      sums[v] = hn::Add(sums[v], UpTo(d, k, cols_, hn::Load(d, prediction_ + k)));
    });
    const V sum = hn::Set(d, CombinePartials(d, sums));
    clear(sums);  // now of the losses
    ForVectors(d, cols_, [&](size_t v, size_t k) HWY_ATTR {
      const V q = hn::Div(hn::Load(d, prediction_ + k), sum), t = target(k);
      const ElementTerm<V> term = ProbabilityTerm(d, t, q);
      sums[v] = hn::Add(sums[v], UpTo(d, k, cols_, term.value));
      means[v] = hn::Add(means[v], UpTo(d, k, cols_, hn::Mul(term.slope, q)));
      targets[v] = hn::Add(targets[v], t);
      if (gradient_ != nullptr) hn::Store(term.slope, d, gradient_ + k);
    });
    if (gradient_ != nullptr) {
      const V mean = hn::Set(d, CombinePartials(d, means)), scale = hn::Div(hn::Set(d, scale_), sum);
      ForVectors(d, cols_, [&](size_t, size_t k) HWY_ATTR {
        hn::Store(hn::Mul(hn::Sub(mean, hn::Load(d, gradient_ + k)), scale), d, gradient_ + k);
      });
    }
    const V total = hn::Set(d, CombinePartials(d, targets)), value = hn::Set(d, CombinePartials(d, sums));
    return hn::GetLane(ValidOrNaN(d, sparse_, total, value));
  }

 private:
  static HWY_INLINE void clear(V (&sums)[kSumVectors<D>]) {
    for (V& sum : sums) sum = hn::Zero(D());
  }
  // Zeros beyond the row.
  HWY_INLINE V target(size_t k) const {
    const D d;
    if (sparse_) {
      const auto own = hn::Eq(hn::Iota(d, static_cast<T>(k)), hn::Set(d, *target_));
      return UpTo(d, k, cols_, hn::IfThenElseZero(own, hn::Set(d, T(1))));
    }
    const V t = hn::MulAdd(hn::Load(d, target_ + k), hn::Set(d, keep_), hn::Set(d, add_));
    return UpTo(d, k, cols_, t);
  }
  HWY_INLINE T largest() const {
    const D d;
    V top = hn::Neg(hn::Inf(d));
    for (size_t k = 0; k < cols_; k += hn::Lanes(d)) {
      const V z = hn::Load(d, prediction_ + k);
      const bool whole = cols_ - k >= hn::Lanes(d);
      top = hn::Max(top, whole ? z : hn::IfThenElse(hn::FirstN(d, cols_ - k), z, top));
    }
    return hn::GetLane(hn::MaxOfLanes(d, top));
  }

  bool sparse_;
  T keep_, add_, scale_;
  size_t cols_;
  const T* prediction_;
  const T* target_;
  T* gradient_;
};

}  // namespace HWY_NAMESPACE
}  // namespace maas
HWY_AFTER_NAMESPACE();

#endif
