#include "maas/linear/descent.h"

#include <cmath>
#include <vector>

#include "maas/base/interrupt.h"
#include "maas/linear/descent_step.h"
#include "maas/linear/vector_math.h"

namespace maas {

SolveResult descend(Objective& objective, const DescentOptions& options, double* theta) {
  const size_t n = objective.size();
  std::vector<double> at(theta, theta + n);
  std::vector<double> gradient(n);
  DescentStep rule(options, n);
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
    rule.step(gradient, options.learning_rate, at);
    ++result.iterations;
  }
  return result;
}

}  // namespace maas
