#include "maas/linear/minimise.h"

#include <cmath>
#include <limits>

#include "maas/base/interrupt.h"
#include "maas/linear/vector_math.h"

namespace maas {
namespace {

struct Point {
  explicit Point(size_t n) : theta(n), gradient(n) {}
  std::vector<double> theta;
  std::vector<double> gradient;
  double value = 0;

  void evaluate(Objective& objective) {
    poll_interrupt();
    value = objective.value_and_gradient(theta.data(), gradient.data());
  }
};

// Bisection for the weak Wolfe conditions (Lewis and Overton 2013): halves a step that falls too little,
// doubles one that still points downhill. slope = d.g(from) < 0. Returns whether `to` is acceptable.
bool search(Objective& objective, const Point& from, const std::vector<double>& d, double slope, Point& to) {
  constexpr double kFall = 1e-4;  // of the fall the slope promises
  constexpr double kFlat = 0.9;   // of the slope that may be left
  const double slack = objective.noise() * std::abs(from.value);
  double low = 0;
  double high = std::numeric_limits<double>::infinity();
  double t = 1;
  for (int tries = 0; tries < 40; ++tries) {
    for (size_t i = 0; i < d.size(); ++i) to.theta[i] = from.theta[i] + t * d[i];
    to.evaluate(objective);
    const double slope_to = dot(to.gradient, d);
    const bool fell = to.value <= from.value + kFall * t * slope;
    // Within rounding of the old value the slope alone tells a step too long.
    const bool level = to.value <= from.value + slack && slope_to <= -(1 - 2 * kFall) * slope;
    if (!(fell || level) || !std::isfinite(slope_to)) {
      high = t;
    } else if (slope_to < kFlat * slope) {
      low = t;
    } else {
      return true;
    }
    t = std::isinf(high) ? 2 * low : (low + high) / 2;
  }
  return low > 0;  // far from Wolfe, but downhill
}

}  // namespace

SolveResult minimise(Objective& objective, Direction& direction, const StopRule& rule, double* theta) {
  const size_t n = objective.size();
  Point at(n), next(n);
  std::vector<double> d(n), step(n), change(n);
  at.theta.assign(theta, theta + n);
  at.evaluate(objective);

  SolveResult result;
  result.loss_curve.push_back(at.value);
  // Gradients carry about the relative error that values do, so a decrement cannot fall below its square.
  const double target = std::fmax(rule.decrement, objective.noise() * objective.noise()) * objective.scale();
  double last_decrement = std::numeric_limits<double>::infinity();
  double last_fall = 1;
  double least_decrement = std::numeric_limits<double>::infinity();
  while (true) {
    if (!std::isfinite(at.value)) {
      result.status = SolveStatus::kDiverged;
      break;
    }
    direction.propose(at.theta.data(), at.gradient.data(), d.data());
    const double slope = dot(at.gradient, d);
    // A slope that is not negative is rounding: there is nowhere left to go. Where decrements keep falling
    // fast, the next one is foreseen from the last three.
    const double fall = -slope / last_decrement;
    const double slower = std::fmax(fall, last_fall);
    if (!(slope < -target) || (slower < 0.05 && -slope * slower < target)) {
      result.status = SolveStatus::kConverged;
      // Too short to be worth a pass to check, and it squares the error when the direction is Newton's.
      if (slope < 0) add_scaled(1.0, d.data(), at.theta.data(), n);
      break;
    }
    last_decrement = -slope;
    last_fall = result.iterations == 0 ? 1.0 : fall;
    // Below the noise of the value only a decrement that still falls fast is progress.
    const bool below_noise = -slope < objective.noise() * std::abs(at.value);
    if (below_noise && -slope > 0.1 * least_decrement) {
      result.status = SolveStatus::kConverged;
      break;
    }
    least_decrement = std::fmin(least_decrement, -slope);
    if (result.iterations == rule.max_iterations) break;
    if (!search(objective, at, d, slope, next)) {
      if (below_noise) result.status = SolveStatus::kConverged;
      break;
    }
    for (size_t i = 0; i < n; ++i) {
      step[i] = next.theta[i] - at.theta[i];
      change[i] = next.gradient[i] - at.gradient[i];
    }
    direction.accepted(step.data(), change.data());
    std::swap(at, next);
    ++result.iterations;
    result.loss_curve.push_back(at.value);
  }
  std::copy(at.theta.begin(), at.theta.end(), theta);
  return result;
}

}  // namespace maas
