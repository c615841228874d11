// Ridge regression for many penalties from the moments of the rows alone, and what such coefficients err by
// on other rows, again from their moments: a whole grid of a cross-validation costs no pass over the data.
#pragma once

#include <vector>

#include "maas/linear/gram_state.h"

namespace maas {

struct RidgePath {
  std::vector<double> coef;       // penalties × t × d
  std::vector<double> intercept;  // penalties × t
  // A penalty whose equations are too ill-conditioned for a Gram matrix is false, its coefficients zero: the
  // caller must go back to the rows.
  std::vector<bool> solved;  // penalties
};

// One path a state; states and penalties are shared among the threads.
std::vector<RidgePath> ridge_paths(const std::vector<const GramState*>& states,
                                   const std::vector<double>& penalties, bool intercept);

// Σ w r² and Σ w r / Σ w of the residuals r = y - X coef - intercept of a state's rows, for each model and
// target, and a bound on the rounding error of the former: the products of fitted values nearly cancel.
struct MomentErrors {
  std::vector<double> squared;
  std::vector<double> mean;
  std::vector<double> rounding;
};
// coef: models × t × d; intercept: models × t.
MomentErrors moment_errors(const GramState& state, const double* coef, const double* intercept,
                           size_t models);

}  // namespace maas
