// First-order descent by whole passes: gradient descent with momentum, and Adam. One gradient an iteration,
// at a step length that the user chose.
#pragma once

#include <cstddef>

#include "maas/linear/minimise.h"

namespace maas {

struct DescentOptions {
  enum class Rule { kMomentum, kNesterov, kAdam };
  Rule rule = Rule::kMomentum;
  double learning_rate = 0.1;
  double momentum = 0.0;    // kMomentum, kNesterov: v <- momentum v - learning_rate g
  double beta1 = 0.9;       // kAdam: decay of the mean of gradients
  double beta2 = 0.999;     // kAdam: decay of the mean of squared gradients
  double epsilon = 1e-8;    // kAdam: added to the root of the latter
  double tolerance = 1e-4;  // stop when no component of the gradient is larger
  size_t max_iterations = 100;
};

// Minimises from theta, in place; loss_curve[i] is the value before iteration i. Where a step leaves the
// finite range theta holds the last weights with a finite value and the status is kDiverged.
SolveResult descend(Objective& objective, const DescentOptions& options, double* theta);

}  // namespace maas
