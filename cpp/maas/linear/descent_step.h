// First-order update rules: what a gradient does to the weights. The moving state of one descent, whether its
// gradients come from all rows or from a batch of them.
#pragma once

#include <cmath>
#include <cstddef>
#include <vector>

#include "maas/linear/descent.h"

namespace maas {

// Of the options, the rule and its decays; the learning rate is given step by step. One thread at a time.
class DescentStep {
 public:
  DescentStep(const DescentOptions& options, size_t n)
      : options_(options), mean_(n, 0.0), square_(options.rule == DescentOptions::Rule::kAdam ? n : 0, 0.0) {}

  // Moves theta against the gradient.
  void step(const std::vector<double>& gradient, double learning_rate, std::vector<double>& theta) {
    if (options_.rule == DescentOptions::Rule::kAdam) return adam(gradient, learning_rate, theta);
    const bool nesterov = options_.rule == DescentOptions::Rule::kNesterov;
    for (size_t i = 0; i < theta.size(); ++i) {
      const double pull = learning_rate * gradient[i];
      mean_[i] = options_.momentum * mean_[i] - pull;
      // Nesterov's look-ahead in the form that keeps theta at the looked-ahead point (Sutskever 2013).
      theta[i] += nesterov ? options_.momentum * mean_[i] - pull : mean_[i];
    }
  }

 private:
  // Kingma and Ba 2015, algorithm 1.
  void adam(const std::vector<double>& gradient, double learning_rate, std::vector<double>& theta) {
    decay1_ *= options_.beta1;
    decay2_ *= options_.beta2;
    for (size_t i = 0; i < theta.size(); ++i) {
      mean_[i] = options_.beta1 * mean_[i] + (1 - options_.beta1) * gradient[i];
      square_[i] = options_.beta2 * square_[i] + (1 - options_.beta2) * gradient[i] * gradient[i];
      const double mean = mean_[i] / (1 - decay1_);
      const double root = std::sqrt(square_[i] / (1 - decay2_));
      theta[i] -= learning_rate * mean / (root + options_.epsilon);
    }
  }

  DescentOptions options_;
  std::vector<double> mean_;  // velocity, or Adam's first moment
  std::vector<double> square_;
  double decay1_ = 1;
  double decay2_ = 1;
};

}  // namespace maas
