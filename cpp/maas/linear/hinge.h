// The linear support vector machine: with the hinge loss by the interior point where columns are few, else,
// and with the squared hinge, by dual coordinate descent.
#pragma once

#include <cstddef>
#include <vector>

#include "maas/base/csr.h"
#include "maas/base/view.h"
#include "maas/linear/minimise.h"

namespace maas {

struct HingeOptions {
  bool squared = false;  // of the loss; for more columns than rows, else fit_linear() is faster
  bool intercept = true;
  // The intercept is the weight of a column of constants, times the constant; penalised like the others.
  double intercept_scaling = 1;
  // The objective ends within the least of this and 1e-9, relative, of a lower bound; coordinate descent goes
  // on to a millionth of this in the projected gradients, as far as max_iterations allows.
  double tolerance = 1e-4;
  size_t max_iterations = 1000;  // steps of the interior point, or rounds over the rows
};

struct HingeFit : SolveResult {
  std::vector<double> coef;
  double intercept = 0;
};

// Minimises Σ_i s_i max(0, 1 - (2 y_i - 1)(x_i . w + b)), or of its squares, + |w|² / 2 + (b /
// intercept_scaling)² / 2, y_i 0 or 1. Throws NotFinite for NaN or infinity in X.
template <class T>
HingeFit fit_hinge(const MatrixView<T>& x, VectorView<double> y, VectorView<double> weight,
                   const HingeOptions& options);
template <class T>
HingeFit fit_hinge(const CsrView<T>& x, VectorView<double> y, VectorView<double> weight,
                   const HingeOptions& options);

}  // namespace maas
