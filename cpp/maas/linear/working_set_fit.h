// Fits logistic and softmax loss with an L1 (and L2) penalty to rows of many columns, most of which get no
// weight: Newton's method by columns (linear/column_newton.h) on a working set of columns that grows until no
// other column can lower the objective. Beside the caller's rows, memory holds the working set's columns
// alone.
#pragma once

#include <vector>

#include "maas/base/csr.h"
#include "maas/linear/fit.h"

namespace maas {

// y: 0 or 1, or the class; weight: empty means all 1. Of the options, the shape, l1 > 0, l2, intercept_l1,
// tolerance (as for lbfgs) and max_iterations count. `start` is as in fit_linear. Throws NotFinite for NaN or
// infinity.
// X is CsrView<T> or MatrixView<T>.
template <class X>
FitResult fit_working_set(const X& x, const std::vector<double>& y, const std::vector<double>& weight,
                          const FitOptions& options, const std::vector<double>& start = {});

}  // namespace maas
