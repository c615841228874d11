// Fits a linear model (any Loss, L2 penalty) to compressed sparse rows: the one entry that the estimators
// use.
#pragma once

#include <vector>

#include "maas/linear/fit.h"
#include "maas/linear/sparse_objective.h"

namespace maas {

// As fit_linear(), without a copy of the rows. The second-order solvers take the Hessian itself where it is
// small (a few hundred parameters) and stop as there; else products with it, and stop where a step can lower
// the objective by about tolerance² / 10⁴ of its unit.
template <class T>
FitResult fit_sparse(const SparseRows<T>& rows, const FitOptions& options,
                     const std::vector<double>& start = {});

extern template FitResult fit_sparse(const SparseRows<float>&, const FitOptions&, const std::vector<double>&);
extern template FitResult fit_sparse(const SparseRows<double>&, const FitOptions&,
                                     const std::vector<double>&);

}  // namespace maas
