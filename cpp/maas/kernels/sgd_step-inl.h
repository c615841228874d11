// What a step of stochastic gradient descent does beside the columns, shared by dense (kernels/sgd.cc) and
// sparse rows (kernels/sgd_sparse.cc): its length, the penalty and the scale of the weights.

#if defined(MAAS_KERNELS_SGD_STEP_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef MAAS_KERNELS_SGD_STEP_INL_H_
#undef MAAS_KERNELS_SGD_STEP_INL_H_
#else
#define MAAS_KERNELS_SGD_STEP_INL_H_
#endif

#include <algorithm>
#include <cmath>

#include "hwy/highway.h"
#include "maas/kernels/sgd.h"
#include "maas/kernels/sgd_loss-inl.h"
#include "maas/kernels/sgd_rows-inl.h"

HWY_BEFORE_NAMESPACE();
namespace maas {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;
namespace sgd {

constexpr double kLargestSlope = 1e12;  // scikit-learn's MAX_DLOSS
constexpr double kSmallestScale = 1e-9;

// The step along the row, before scale: w += update * x.
template <class Loss>
HWY_INLINE double step_length(const Loss& loss, const SgdRules& rules, double margin, double y, double eta,
                              double square, bool& clipped) {
  const One d;
  const auto p = hn::Set(d, margin);
  const auto target = hn::Set(d, y);
  if (HWY_LIKELY(rules.step == SgdStep::kGradient)) {
    const double slope = hn::GetLane(loss.slope(d, p, target));
    if (HWY_LIKELY(std::abs(slope) <= kLargestSlope)) return -eta * slope;
    clipped = true;
    return -eta * std::copysign(kLargestSlope, slope);
  }
  const double value = hn::GetLane(loss.value(d, p, target));
  double length = 0;
  if (rules.step == SgdStep::kPassiveAggressive2) {
    length = value / (square + 0.5 / rules.aggressiveness);
  } else if (square > 0) {
    length = std::min(rules.aggressiveness, value / square);
  }
  const bool classifies = rules.loss == SgdLoss::kHinge || rules.loss == SgdLoss::kPerceptron;
  return length * (classifies ? y : (y < margin ? -1.0 : 1.0));
}

// Folds a scale that has become too small into the weights.
HWY_NOINLINE static void reset_scale(SgdState& s, size_t padded) {
  if (s.average.size() > 0) {
    add_scaled(s.average.data(), s.average_a, s.weights.data(), padded);
    multiply(s.average.data(), 1.0 / s.average_b, padded);
    s.average_a = 0;
    s.average_b = 1;
  }
  multiply(s.weights.data(), s.scale, padded);
  s.square_norm *= s.scale * s.scale;
  s.l1_norm *= s.scale;
  s.scale = 1;
}

HWY_INLINE double penalty(const SgdRules& rules, const SgdState& s) {
  const double squared = 0.5 * (1 - rules.l1_ratio) * (s.scale * s.scale) * s.square_norm;
  return rules.alpha * (squared + rules.l1_ratio * s.scale * s.l1_norm);
}

// Margins and targets are padded by the caller to a whole vector beyond `count`.
template <class Loss>
double sum_losses(const Loss& loss, const double* margins, const double* y, size_t count) {
  const Wide d;
  Partials sum;
  for (size_t k = 0; k < count; k += kPartials) {
    for (size_t c = 0; c < kChains; ++c) {
      const size_t at = k + c * kLanes;
      if (at >= count) break;
      const auto value = loss.value(d, hn::LoadU(d, margins + at), hn::LoadU(d, y + at));
      const auto kept = hn::IfThenElseZero(hn::FirstN(d, count - at), value);
      sum.chain[c] = hn::Add(sum.chain[c], kept);
    }
  }
  return sum.sum();
}

// Calls fn with the loss that the rules name.
template <class Fn>
HWY_INLINE SgdSums with_loss(const SgdRules& rules, const Fn& fn) {
  const double epsilon = rules.epsilon;
  switch (rules.loss) {
    case SgdLoss::kHinge: return fn(HingeLoss{1});
    case SgdLoss::kPerceptron: return fn(HingeLoss{0});
    case SgdLoss::kSquaredHinge: return fn(SgdSquaredHingeLoss{});
    case SgdLoss::kModifiedHuber: return fn(ModifiedHuberLoss{});
    case SgdLoss::kLogLoss: return fn(LogLoss{});
    case SgdLoss::kSquaredError: return fn(SgdSquaredLoss{});
    case SgdLoss::kHuber: return fn(HuberLoss{epsilon});
    case SgdLoss::kEpsilonInsensitive: return fn(EpsilonLoss{epsilon});
    case SgdLoss::kSquaredEpsilonInsensitive: break;
  }
  return fn(SquaredEpsilonLoss{epsilon});
}

}  // namespace sgd
}  // namespace HWY_NAMESPACE
}  // namespace maas
HWY_AFTER_NAMESPACE();

#endif  // MAAS_KERNELS_SGD_STEP_INL_H_
