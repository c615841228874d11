// Linear quantile regression with an L1 penalty, by the interior point.
#pragma once

#include <cstddef>
#include <vector>

#include "maas/base/csr.h"
#include "maas/base/view.h"
#include "maas/linear/minimise.h"

namespace maas {

struct QuantileOptions {
  double quantile = 0.5;  // in (0, 1)
  double l1 = 1;          // of Σ_i s_i pinball_i + l1 |w|₁
  bool intercept = true;  // not penalised
};

struct QuantileFit : SolveResult {
  std::vector<double> coef;
  double intercept = 0;
};

// Minimises Σ_i s_i pinball(y_i - x_i . w - b). Throws NotFinite for NaN or infinity in X or y.
template <class T>
QuantileFit fit_quantile(const MatrixView<T>& x, VectorView<double> y, VectorView<double> weight,
                         const QuantileOptions& options);
template <class T>
QuantileFit fit_quantile(const CsrView<T>& x, VectorView<double> y, VectorView<double> weight,
                         const QuantileOptions& options);

}  // namespace maas
