#include "maas/linear/slope_descent.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "maas/linear/vector_math.h"

namespace maas {
namespace {

constexpr size_t kMemory = 20;
constexpr int kTries = 40;
constexpr int kStalls = 4;  // steps in a row that bring nothing

}  // namespace

SlopeDescent::SlopeDescent(std::vector<double> start, const StopRule& rule, double noise)
    : rule_(rule), noise_(noise), theta_(std::move(start)), direction_(theta_.size()), trial_(theta_) {}

void SlopeDescent::set_curvature(std::shared_ptr<const CurvatureModel> model, size_t round) {
  model_ = std::move(model);
  quasi_newton_ = std::make_unique<LbfgsDirection>(theta_.size(), kMemory, model_.get());
  round_left_ = round;
  propose();
}

void SlopeDescent::tell(const double* gradient) {
  if (state_ == State::kStart) {
    gradient_.assign(gradient, gradient + theta_.size());
    state_ = State::kWantsCurvature;
    if (!std::isfinite(dot(gradient_, gradient_))) stop(SolveStatus::kDiverged);
    return;
  }
  if (shorten_or_lengthen(dot(gradient, direction_.data(), theta_.size()))) return;
  accept(gradient);
}

// Looks for a point where the slope has lost a tenth at least and is not up by more than half. True: another
// trial is wanted (or the search has failed).
bool SlopeDescent::shorten_or_lengthen(double slope) {
  const bool too_long = !std::isfinite(slope) || slope > -0.5 * slope_;
  if (!too_long && slope >= 0.9 * slope_) return false;
  if (++tries_ == kTries) {
    // The gradient is all rounding here, or the function falls for ever.
    stop(last_decrement_ < noise_ ? SolveStatus::kConverged : SolveStatus::kMaxIterations);
    return true;
  }
  if (too_long) {
    high_ = length_;
    high_slope_ = slope;
  } else {
    low_ = length_;
    low_slope_ = slope;
  }
  if (std::isinf(high_)) {
    try_step(4 * low_);
  } else if (std::isfinite(high_slope_)) {
    // Where the secant crosses zero, but well inside.
    const double share = std::clamp(low_slope_ / (low_slope_ - high_slope_), 0.1, 0.9);
    try_step(low_ + share * (high_ - low_));
  } else {
    try_step(low_ + 0.25 * (high_ - low_));
  }
  return true;
}

void SlopeDescent::accept(const double* gradient) {
  const size_t n = theta_.size();
  std::vector<double> step(n), change(n);
  for (size_t i = 0; i < n; ++i) {
    step[i] = trial_[i] - theta_[i];
    change[i] = gradient[i] - gradient_[i];
  }
  quasi_newton_->accepted(step.data(), change.data());
  theta_ = trial_;
  gradient_.assign(gradient, gradient + n);
  ++iterations_;
  if (round_left_ > 0) --round_left_;
  propose();
}

void SlopeDescent::propose() {
  quasi_newton_->propose(theta_.data(), gradient_.data(), direction_.data());
  slope_ = dot(gradient_, direction_);
  if (converged(-slope_)) {
    // Too short to be worth a pass to check.
    if (slope_ < 0) add_scaled(1.0, direction_.data(), theta_.data(), theta_.size());
    if (iterations_ < rule_.max_iterations) ++iterations_;
    return stop(SolveStatus::kConverged);
  }
  if (iterations_ >= rule_.max_iterations) return stop(SolveStatus::kMaxIterations);
  if (round_left_ == 0) {
    state_ = State::kWantsCurvature;
    return;
  }
  state_ = State::kSearch;
  tries_ = 0;
  low_ = 0;
  low_slope_ = slope_;
  high_ = std::numeric_limits<double>::infinity();
  try_step(1.0);
}

// Decrements fall by about the square of the curvature's relative error a step, or faster: the first fall is
// from the start's distance and foretells the next, less a margin. Near rounding they stop falling.
bool SlopeDescent::converged(double decrement) {
  const double target = std::fmax(rule_.decrement, noise_ * noise_);
  const double fall = decrement / last_decrement_;
  last_decrement_ = decrement;
  if (!(decrement > target)) return true;
  if (fall > 0 && fall < 0.01 && 10 * fall * decrement < target) return true;
  stalls_ = decrement < noise_ && decrement > 0.5 * least_decrement_ ? stalls_ + 1 : 0;
  least_decrement_ = std::fmin(least_decrement_, decrement);
  return stalls_ == kStalls;
}

void SlopeDescent::try_step(double length) {
  length_ = length;
  for (size_t i = 0; i < theta_.size(); ++i) trial_[i] = theta_[i] + length * direction_[i];
}

void SlopeDescent::stop(SolveStatus status) {
  status_ = status;
  state_ = State::kDone;
  quasi_newton_.reset();
  model_.reset();
}

}  // namespace maas
