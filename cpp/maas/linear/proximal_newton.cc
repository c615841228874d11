#include "maas/linear/proximal_newton.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "maas/base/interrupt.h"
#include "maas/linear/coordinate_descent.h"
#include "maas/linear/row_sample.h"
#include "maas/linear/vector_math.h"

namespace maas {
namespace {

struct Point {
  explicit Point(size_t n) : theta(n), gradient(n) {}
  std::vector<double> theta, gradient;
  double smooth = 0;
  double penalty = 0;

  double value() const { return smooth + penalty; }
  void evaluate(Objective& objective, const std::vector<double>& l1) {
    poll_interrupt();
    smooth = objective.value_and_gradient(theta.data(), gradient.data());
    penalty = 0;
    for (size_t j = 0; j < l1.size(); ++j) penalty += l1[j] * std::abs(theta[j]);
  }
};

class ProximalNewton {
 public:
  ProximalNewton(Objective& objective, const std::vector<double>& l1)
      : objective_(objective),
        l1_(l1),
        n_(objective.size()),
        b_(n_ * n_),
        no_l2_(n_),
        at_(n_),
        next_(n_),
        d_(n_) {}

  SolveResult run(Objective& source, const StopRule& rule, size_t round, std::vector<double>& theta) {
    const double target =
        std::fmax(rule.decrement, objective_.noise() * objective_.noise()) * objective_.scale();
    at_.theta = theta;
    at_.evaluate(objective_, l1_);
    SolveResult result;
    result.loss_curve.push_back(at_.value());
    size_t steps_left = 0, rounds = 0;
    while (true) {
      if (!std::isfinite(at_.value())) {
        result.status = SolveStatus::kDiverged;
        break;
      }
      if (steps_left == 0) {
        take_hessian(rounds < 2 ? source : objective_);
        steps_left = round;
        round += round / 2;
        ++rounds;
      }
      --steps_left;
      if (propose_and_judge(target)) {
        result.status = SolveStatus::kConverged;
        break;
      }
      if (result.iterations == rule.max_iterations) break;
      if (!search()) {
        if (below_noise()) result.status = SolveStatus::kConverged;
        break;
      }
      update_matrix();
      std::swap(at_, next_);
      ++result.iterations;
      result.loss_curve.push_back(at_.value());
    }
    theta = at_.theta;
    return result;
  }

 private:
  void take_hessian(Objective& source) {
    source.hessian(at_.theta.data(), b_.data());
    double trace = 0;
    for (size_t j = 0; j < n_; ++j) trace += b_[j * n_ + j];
    // A column that is constant in the rows seen has no curvature: an average one makes for short steps.
    const double average = trace > 0 ? trace / static_cast<double>(n_) : 1.0;
    for (size_t j = 0; j < n_; ++j) {
      if (!(b_[j * n_ + j] > 0)) b_[j * n_ + j] = average;
    }
    poll_interrupt();
  }

  // Finds the model's minimiser; returns whether it is so near that the solve is over, and then moves there.
  bool propose_and_judge(double target) {
    to_ = at_.theta;
    model_gradient_ = at_.gradient;
    descend_coordinates({b_.data(), n_, n_, l1_.data(), no_l2_.data()}, inner_options(target), to_.data(),
                        model_gradient_.data());
    centre_free_coordinates();
    decrement_ = 0;
    for (size_t j = 0; j < n_; ++j) {
      d_[j] = to_[j] - at_.theta[j];
      decrement_ -= at_.gradient[j] * d_[j] + l1_[j] * (std::abs(to_[j]) - std::abs(at_.theta[j]));
    }
    // Where decrements keep falling fast, the next one is foreseen from the last three.
    const double fall = decrement_ / last_decrement_;
    const double slower = std::fmax(fall, last_fall_);
    last_fall_ = std::isinf(last_decrement_) ? 1.0 : fall;
    last_decrement_ = decrement_;
    if (!(decrement_ > target) || (slower < 0.05 && decrement_ * slower < target)) {
      if (decrement_ > 0) at_.theta = to_;
      return true;
    }
    // Below the noise of the value only a decrement that still falls fast is progress.
    if (below_noise() && decrement_ > 0.1 * least_decrement_) return true;
    least_decrement_ = std::fmin(least_decrement_, decrement_);
    return false;
  }

  // Far away the model is rough and so may be its minimum; near, each step squares what is left.
  CoordinateOptions inner_options(double target) const {
    const double scale = objective_.scale();
    const double left = std::fmin(last_decrement_ / scale, 1.0);
    CoordinateOptions options;
    options.tolerance = std::sqrt(std::fmax(1e-6 * left * left * scale, 1e-6 * target));
    return options;
  }

  bool below_noise() const { return decrement_ < objective_.noise() * std::abs(at_.value()); }

  // Softmax is blind to a shift common to all outputs of a coordinate without penalty (the intercept): do not
  // drift along it.
  void centre_free_coordinates() {
    const size_t outputs = objective_.blocks();
    if (outputs == 1) return;
    const size_t size = n_ / outputs;
    for (size_t j = 0; j < size; ++j) {
      if (l1_[j] > 0) continue;
      double sum = 0;
      for (size_t o = 0; o < outputs; ++o) sum += to_[o * size + j] - at_.theta[o * size + j];
      for (size_t o = 0; o < outputs; ++o) to_[o * size + j] -= sum / static_cast<double>(outputs);
    }
  }

  // Halves the step until the value falls by a part of what the model promises; where the promise is below
  // rounding, until it does not rise.
  bool search() {
    constexpr double kFall = 1e-4;
    const double slack = objective_.noise() * std::abs(at_.value());
    double t = 1;
    for (int tries = 0; tries < 40; ++tries, t /= 2) {
      for (size_t j = 0; j < n_; ++j) next_.theta[j] = t == 1 ? to_[j] : at_.theta[j] + t * d_[j];
      next_.evaluate(objective_, l1_);
      const double fell = at_.value() - next_.value();
      if (fell >= kFall * t * decrement_) return true;
      if (decrement_ < 10 * slack && fell >= -2 * slack) return true;
    }
    return false;
  }

  // B += y yᵀ / s.y - B s (B s)ᵀ / s.B s, the step s and the change of gradient y.
  void update_matrix() {
    std::vector<double> s(n_), y(n_), bs(n_, 0.0);
    for (size_t j = 0; j < n_; ++j) {
      s[j] = next_.theta[j] - at_.theta[j];
      y[j] = next_.gradient[j] - at_.gradient[j];
      if (s[j] != 0) add_scaled(s[j], b_.data() + j * n_, bs.data(), n_);
    }
    const double curved = dot(s, bs);
    const double product = dot(s, y);
    // Rounding, or a stretch without curvature: the matrix stays positive definite without it.
    if (!(product > 1e-8 * curved) || !(curved > 0)) return;
    for (size_t j = 0; j < n_; ++j) {
      add_scaled(y[j] / product, y.data(), b_.data() + j * n_, n_);
      add_scaled(-bs[j] / curved, bs.data(), b_.data() + j * n_, n_);
    }
  }

  Objective& objective_;
  const std::vector<double>& l1_;
  const size_t n_;
  std::vector<double> b_;  // model of the Hessian, the L2 penalty's included
  const std::vector<double> no_l2_;
  Point at_, next_;
  std::vector<double> model_gradient_;
  std::vector<double> to_, d_;  // the model's minimiser, and the way there
  double decrement_ = 0;
  double last_decrement_ = std::numeric_limits<double>::infinity();
  double least_decrement_ = std::numeric_limits<double>::infinity();
  double last_fall_ = 1;
};

}  // namespace

SolveResult minimise_l1(Objective& objective, Objective& source, const std::vector<double>& l1,
                        const StopRule& rule, size_t round, std::vector<double>& theta) {
  return ProximalNewton(objective, l1).run(source, rule, round, theta);
}

template <class T>
SolveResult minimise_l1_with_samples(const WeightedRows<T>& rows, const LinearModelShape& shape, double alpha,
                                     const std::vector<double>& shift, RowObjective<T>& objective,
                                     const std::vector<double>& l1, const StopRule& rule, bool cold,
                                     std::vector<double>& theta) {
  const size_t columns = objective.size() / shape.outputs;
  const size_t wanted = sample_rows(rows.x.rows, columns, shape.outputs);
  const size_t stride = wanted == 0 ? 1 : sample_stride(rows.x.rows, wanted);
  // A first round costs about as much in steps as its curvature does.
  const size_t round = std::clamp<size_t>(columns / 8, 1, 6);
  if (stride == 1) return minimise_l1(objective, objective, l1, rule, round, theta);
  const RowSample<T> sample(rows, stride);
  RowObjective<T> sampled(sample.rows(), shape, alpha, shift);
  if (!(sampled.total_weight() > 0)) return minimise_l1(objective, objective, l1, rule, round, theta);
  if (cold) {
    // To the accuracy that the sample itself has: its solution is off by about parameters / rows.
    StopRule rough = rule;
    rough.decrement = std::max(rule.decrement, 0.02 * static_cast<double>(objective.size()) /
                                                   static_cast<double>(sample.rows().x.rows));
    rough.max_iterations = 30;
    minimise_l1_with_samples(sample.rows(), shape, alpha, shift, sampled, l1, rough, true, theta);
  }
  return minimise_l1(objective, sampled, l1, rule, 6, theta);
}

template SolveResult minimise_l1_with_samples(const WeightedRows<float>&, const LinearModelShape&, double,
                                              const std::vector<double>&, RowObjective<float>&,
                                              const std::vector<double>&, const StopRule&, bool,
                                              std::vector<double>&);
template SolveResult minimise_l1_with_samples(const WeightedRows<double>&, const LinearModelShape&, double,
                                              const std::vector<double>&, RowObjective<double>&,
                                              const std::vector<double>&, const StopRule&, bool,
                                              std::vector<double>&);

}  // namespace maas
