// The descent loop of the solvers that search along a direction (L-BFGS, Newton): when to stop, how far to
// step, and what to do where rounding hides any further progress.
#pragma once

#include <cstddef>
#include <vector>

#include "maas/linear/objective.h"

namespace maas {

enum class SolveStatus {
  kConverged,
  kMaxIterations,
  kDiverged,  // a step left the finite range; theta holds the last finite weights
};

struct SolveResult {
  SolveStatus status = SolveStatus::kMaxIterations;
  size_t iterations = 0;
  std::vector<double> loss_curve;  // the value at the start and after each iteration
};

// Proposes where to go. Not thread-safe; one solve each.
class Direction {
 public:
  virtual ~Direction() = default;
  // Writes d, a descent direction at theta whose natural step is 1.
  virtual void propose(const double* theta, const double* gradient, double* d) = 0;
  // A step was taken: theta moved by `step`, the gradient by `change`.
  virtual void accepted(const double* /*step*/, const double* /*change*/) {}
};

struct StopRule {
  // Stop where -g.d, about twice what the objective can still fall, is below `decrement` * scale().
  double decrement = 1e-16;
  size_t max_iterations = 100;
};

// Minimises from theta, in place. Steps satisfy the weak Wolfe conditions, or their gradient-only form where
// values differ by less than rounding. Stops as converged, too, when rounding keeps the decrement from
// falling further. Polls for interrupts between passes.
SolveResult minimise(Objective& objective, Direction& direction, const StopRule& rule, double* theta);

}  // namespace maas
