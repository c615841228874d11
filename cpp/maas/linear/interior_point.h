// Piecewise linear losses with an L1 or L2 penalty by the primal-dual interior point method, with Mehrotra's
// predictor and corrector (Portnoy and Koenker 1997, "The Gaussian hare and the Laplacian tortoise", for
// quantiles). Each iteration reads the rows three times and solves one system in the columns alone.
#pragma once

#include <cstddef>
#include <vector>

#include "maas/linear/minimise.h"
#include "maas/linear/panel_source.h"

namespace maas {

// Σ_i weight_i (u_i (b_i - z_i)+ + (1 - u_i) (z_i - b_i)+) + l1 Σ_j |w_j| + Σ_j quadratic_j theta_j² / 2 with
// z = X theta, theta the weights w of the features and then the intercept, which l1 leaves alone.
struct BoxProblem {
  const PanelSource& source;
  std::vector<double> b, weight, u;  // a value a row
  double l1 = 0;
  std::vector<double> quadratic;  // one a column, above zero; empty: none
};

struct BoxSolution : SolveResult {
  std::vector<double> theta;
  double lower_bound = 0;  // of the objective, from the multipliers; exact where there is a quadratic
};

// Stops where the objective is within `tolerance`, relative, of its lower bound, or where rounding keeps
// it from coming closer. Weights l1 drives to nothing are set to zero.
BoxSolution minimise_boxes(const BoxProblem& problem, double tolerance, size_t max_iterations);

}  // namespace maas
