// Least squares by gradient descent, Adam or L-BFGS: the rows are read once, the iterations run on d × d
// numbers.
#pragma once

#include <cstddef>
#include <vector>

#include "maas/linear/descent.h"
#include "maas/linear/minimise.h"
#include "maas/linear/row_panels.h"

namespace maas {

struct IterativeOptions {
  bool intercept = true;            // eliminated by centring, so it converges at once
  std::vector<double> alpha = {0};  // L2 penalty on Σ of squares, one or one a target
  bool lbfgs = false;               // else the rule of `descent`
  // learning_rate 0: the inverse of the largest curvature. tolerance: relative to the gradient at zero.
  DescentOptions descent;
};

struct IterativeFit {
  std::vector<double> coef;           // t × d
  std::vector<double> intercept;      // t
  std::vector<SolveResult> results;   // t; losses are half mean squares plus the penalty over Σw
  std::vector<double> learning_rate;  // t, as used
};

// start: t × d coefficients, or empty for zero. Throws as fit_least_squares does.
template <class T>
IterativeFit fit_iteratively(const RegressionRows<T>& rows, const IterativeOptions& options,
                             const std::vector<double>& start);

extern template IterativeFit fit_iteratively(const RegressionRows<float>&, const IterativeOptions&,
                                             const std::vector<double>&);
extern template IterativeFit fit_iteratively(const RegressionRows<double>&, const IterativeOptions&,
                                             const std::vector<double>&);

}  // namespace maas
