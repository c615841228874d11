// One pass over the rows in double at given coefficients: what iterative refinement needs to remove the error
// of products that were summed in float32 (Higham, Accuracy and Stability of Numerical Algorithms, chapter
// 12).
#pragma once

#include <vector>

#include "maas/linear/gram_state.h"

namespace maas {

// Moves state.mean to the exact means and returns Σ w (x - mean) r, t × d, for the residuals r of the
// coefficients (t × d). With `intercept` x, y and r are centred, else mean is not used.
template <class T>
std::vector<double> residual_products(const RegressionRows<T>& rows, const std::vector<double>& coef,
                                      bool intercept, GramState& state);

extern template std::vector<double> residual_products(const RegressionRows<float>&,
                                                      const std::vector<double>&, bool, GramState&);

}  // namespace maas
