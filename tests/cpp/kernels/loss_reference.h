// Losses of networks and their derivatives in long double, straight from the formulas.
#pragma once

#include <algorithm>
#include <cmath>
#include <vector>

#include "maas/kernels/network_loss.h"

namespace maas::test {

using Real = long double;
using Row = std::vector<Real>;

struct RowLoss {
  Real value = 0;  // Σ over columns
  Row slope;
};

struct LossCase {
  LossKind kind;
  bool from_logits = false;
  Real smoothing = 0;
};

inline const LossCase kLossCases[] = {
    {LossKind::kMeanSquaredError},
    {LossKind::kMeanAbsoluteError},
    {LossKind::kHuber},
    {LossKind::kBinaryCrossentropy, false},
    {LossKind::kBinaryCrossentropy, true},
    {LossKind::kBinaryCrossentropy, false, 0.25L},
    {LossKind::kBinaryCrossentropy, true, 0.25L},
    {LossKind::kCategoricalCrossentropy, false},
    {LossKind::kCategoricalCrossentropy, true},
    {LossKind::kCategoricalCrossentropy, false, 0.25L},
    {LossKind::kCategoricalCrossentropy, true, 0.25L},
    {LossKind::kSparseCategoricalCrossentropy, false},
    {LossKind::kSparseCategoricalCrossentropy, true},
    {LossKind::kHinge},
    {LossKind::kSquaredHinge},
    {LossKind::kPoisson, false},
    {LossKind::kPoisson, true},
    {LossKind::kKlDivergence},
};

inline constexpr Real kReferenceDelta = 0.75L;

inline bool of_classes(LossKind kind) {
  return kind == LossKind::kCategoricalCrossentropy || kind == LossKind::kSparseCategoricalCrossentropy;
}
// Predictions must lie in (0, 1).
inline bool of_probabilities(const LossCase& c) {
  return !c.from_logits && (of_classes(c.kind) || c.kind == LossKind::kBinaryCrossentropy ||
                            c.kind == LossKind::kKlDivergence || c.kind == LossKind::kPoisson);
}

// One element: value and derivative with respect to p. The limits are those of type T.
template <class T>
std::pair<Real, Real> reference_element(const LossCase& c, Real p, Real t) {
  const Real low = static_cast<T>(1e-7), high = static_cast<T>(1.0 - 1e-7), e = p - t;
  switch (c.kind) {
    case LossKind::kMeanSquaredError: return {e * e, 2 * e};
    case LossKind::kMeanAbsoluteError: return {std::fabs(e), (e > 0) - (e < 0)};
    case LossKind::kHuber: {
      const Real size = std::fabs(e), delta = kReferenceDelta;
      if (size <= delta) return {e * e / 2, e};
      return {delta * size - delta * delta / 2, e > 0 ? delta : -delta};
    }
    case LossKind::kBinaryCrossentropy: {
      t = t * (1 - c.smoothing) + c.smoothing / 2;
      if (c.from_logits) {
        const Real yes = 1 / (1 + std::exp(-p)), soft = std::log1p(std::exp(-std::fabs(p)));
        return {std::fmax(p, 0.0L) - p * t + soft, yes - t};
      }
      const Real q = std::clamp(p, low, high);
      const bool inside = p >= low && p <= high;
      return {-(t * std::log(q) + (1 - t) * std::log(1 - q)), inside ? (q - t) / (q * (1 - q)) : 0};
    }
    case LossKind::kHinge:
    case LossKind::kSquaredHinge: {
      if (t == 0) t = -1;
      const Real gap = std::fmax(1 - t * p, 0.0L);
      if (c.kind == LossKind::kHinge) return {gap, gap > 0 ? -t : 0};
      return {gap * gap, -2 * t * gap};
    }
    case LossKind::kPoisson:
      if (c.from_logits) return {std::exp(p) - t * p, std::exp(p) - t};
      return {p - t * std::log(p + low), 1 - t / (p + low)};
    default: {  // kKlDivergence
      const Real own = std::clamp(t, low, 1.0L), q = std::clamp(p, low, 1.0L);
      return {own * std::log(own / q), p >= low && p <= 1 ? -own / q : 0};
    }
  }
}

template <class T>
RowLoss reference_classes(const LossCase& c, const Row& p, Row t) {
  const size_t n = p.size();
  const Real low = static_cast<T>(1e-7), high = static_cast<T>(1.0 - 1e-7);
  for (Real& v : t) v = v * (1 - c.smoothing) + c.smoothing / static_cast<Real>(n);
  RowLoss out;
  Real sum = 0, targets = 0, mean = 0;
  const Real top = *std::max_element(p.begin(), p.end());
  for (const Real v : p) sum += c.from_logits ? std::exp(v - top) : v;
  for (const Real v : t) targets += v;
  Row slope(n);
  for (size_t j = 0; j < n; ++j) {
    if (c.from_logits) {
      if (t[j] != 0) out.value += t[j] * (std::log(sum) + top - p[j]);
      out.slope.push_back(targets * std::exp(p[j] - top) / sum - t[j]);
      continue;
    }
    const Real q = p[j] / sum;
    out.value -= t[j] * std::log(std::clamp(q, low, high));
    slope[j] = q >= low && q <= high ? t[j] / q : 0;
    mean += slope[j] * q;
  }
  for (size_t j = 0; !c.from_logits && j < n; ++j) out.slope.push_back((mean - slope[j]) / sum);
  return out;
}

// `t` has one column each, also of the sparse kind.
template <class T>
RowLoss reference_row(const LossCase& c, const Row& p, const Row& t) {
  if (of_classes(c.kind)) return reference_classes<T>(c, p, t);
  RowLoss out;
  for (size_t j = 0; j < p.size(); ++j) {
    const auto [value, slope] = reference_element<T>(c, p[j], t[j]);
    out.value += value;
    out.slope.push_back(slope);
  }
  return out;
}

}  // namespace maas::test
