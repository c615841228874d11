// Linear regression that is robust to outliers: Huber's loss with a scale that is estimated along with the
// weights (Owen, "A robust hybrid of lasso and ridge regression", 2006).
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "maas/base/csr.h"
#include "maas/base/view.h"
#include "maas/linear/minimise.h"

namespace maas {

struct HuberOptions {
  double epsilon = 1.35;  // residuals beyond epsilon times the scale count linearly; >= 1
  double l2 = 1e-4;
  bool intercept = true;  // not penalised
  double tolerance = 1e-5;
  size_t max_iterations = 100;
};

struct HuberFit : SolveResult {
  std::vector<double> coef;
  double intercept = 0;
  double scale = 0;
  double unit = 1;                // the mean size of the targets
  std::vector<uint8_t> outliers;  // one a row: 1 beyond epsilon scale
};

// Minimises Σ_i s_i (sigma + H(r_i / sigma) sigma) + l2 |w|² over w, b and sigma > 0 with r = y - x . w - b
// and H(z) = z² up to |z| = epsilon, then 2 epsilon |z| - epsilon². `start`: w then b, or empty. Throws
// NotFinite for NaN or infinity in X or y.
template <class T>
HuberFit fit_huber(const MatrixView<T>& x, VectorView<double> y, VectorView<double> weight,
                   const HuberOptions& options, const std::vector<double>& start = {});
template <class T>
HuberFit fit_huber(const CsrView<T>& x, VectorView<double> y, VectorView<double> weight,
                   const HuberOptions& options, const std::vector<double>& start = {});

}  // namespace maas
