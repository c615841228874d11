#include "maas/linear/descent.h"

#include <cmath>
#include <vector>

#include "maas/base/interrupt.h"
#include "maas/linear/vector_math.h"

namespace maas {
namespace {

// The moving state of one rule; step() turns a gradient into the change of theta.
class Rule {
 public:
  Rule(const DescentOptions& options, size_t n)
      : options_(options), mean_(n, 0.0), square_(options.rule == DescentOptions::Rule::kAdam ? n : 0, 0.0) {}

  void step(const std::vector<double>& gradient, std::vector<double>& theta) {
    if (options_.rule == DescentOptions::Rule::kAdam) return adam(gradient, theta);
    const bool nesterov = options_.rule == DescentOptions::Rule::kNesterov;
    for (size_t i = 0; i < theta.size(); ++i) {
      const double pull = options_.learning_rate * gradient[i];
      mean_[i] = options_.momentum * mean_[i] - pull;
      // Nesterov's look-ahead in the form that keeps theta at the looked-ahead point (Sutskever 2013).
      theta[i] += nesterov ? options_.momentum * mean_[i] - pull : mean_[i];
    }
  }

 private:
  // Kingma and Ba 2015, algorithm 1.
  void adam(const std::vector<double>& gradient, std::vector<double>& theta) {
    decay1_ *= options_.beta1;
    decay2_ *= options_.beta2;
    for (size_t i = 0; i < theta.size(); ++i) {
      mean_[i] = options_.beta1 * mean_[i] + (1 - options_.beta1) * gradient[i];
      square_[i] = options_.beta2 * square_[i] + (1 - options_.beta2) * gradient[i] * gradient[i];
      const double mean = mean_[i] / (1 - decay1_);
      const double root = std::sqrt(square_[i] / (1 - decay2_));
      theta[i] -= options_.learning_rate * mean / (root + options_.epsilon);
    }
  }

  const DescentOptions& options_;
  std::vector<double> mean_;  // velocity, or Adam's first moment
  std::vector<double> square_;
  double decay1_ = 1;
  double decay2_ = 1;
};

}  // namespace

SolveResult descend(Objective& objective, const DescentOptions& options, double* theta) {
  const size_t n = objective.size();
  std::vector<double> at(theta, theta + n);
  std::vector<double> gradient(n);
  Rule rule(options, n);
  SolveResult result;
  while (true) {
    poll_interrupt();
    const double value = objective.value_and_gradient(at.data(), gradient.data());
    if (!std::isfinite(value) || !std::isfinite(dot(gradient, gradient))) {
      result.status = SolveStatus::kDiverged;
      break;
    }
    result.loss_curve.push_back(value);
    std::copy(at.begin(), at.end(), theta);
    if (max_abs(gradient) <= options.tolerance) {
      result.status = SolveStatus::kConverged;
      break;
    }
    if (result.iterations == options.max_iterations) break;
    rule.step(gradient, at);
    ++result.iterations;
  }
  return result;
}

}  // namespace maas
