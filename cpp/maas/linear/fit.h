// Fits a linear model (any loss of kernels/loss.h; L2, L1 or both penalties) by whole passes over the rows:
// the one entry that the estimators use for the full-batch solvers.
#pragma once

#include <cstddef>
#include <vector>

#include "maas/linear/descent.h"
#include "maas/linear/minimise.h"
#include "maas/linear/row_objective.h"

namespace maas {

enum class Solver { kLbfgs, kNewtonCholesky, kGradientDescent, kAdam };

struct FitOptions {
  LinearModelShape shape;
  Solver solver = Solver::kLbfgs;
  // The objective is Σ_i s_i loss_i + l2/2 |w|²; values and gradients that tolerances and the loss curve
  // speak of are this divided by Σ_i s_i.
  double l2 = 1;
  // Adds l1 Σ |w|; lbfgs only. The intercepts of softmax, which nothing else ties down then, sum to zero.
  double l1 = 0;
  // Beside l1 > 0: adds intercept_l1 |b|, as scikit-learn's 'liblinear' does.
  double intercept_l1 = 0;
  // lbfgs, newton-cholesky: stop when the step left would move the margins by about tolerance² (root mean
  // square, weighted by curvature), relative to the deviation of y for the squared loss; by about tolerance
  // for lbfgs where columns are too many for second derivatives. gd, adam: stop when no component of the
  // gradient is above it.
  double tolerance = 1e-4;
  size_t max_iterations = 100;
  DescentOptions descent;  // its rule, learning rate and decays; gd and adam only
};

struct FitResult : SolveResult {
  std::vector<double> coef;       // outputs x features
  std::vector<double> intercept;  // outputs; zero when the shape has none
};

// `start`, when not empty, is laid out like coef then intercept; else the solve starts at zero, for lbfgs at
// the solution for a sample of the rows. Throws NotFinite for NaN or infinity in the arrays.
template <class T>
FitResult fit_linear(const WeightedRows<T>& rows, const FitOptions& options,
                     const std::vector<double>& start = {});

}  // namespace maas
