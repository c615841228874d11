// L-BFGS that learns the curvature from samples of the rows: a small sample is solved first, its solution and
// its factored Hessian start the next larger one, and so up to all rows, which then need few passes. Only
// speed depends on the samples; the answer is that of all rows.
#pragma once

#include <vector>

#include "maas/linear/minimise.h"
#include "maas/linear/row_objective.h"

namespace maas {

// Minimises `objective`, the one of `rows`, from theta in place. `cold` allows the samples to move theta
// first; else theta is kept as the start and the samples give the curvature there.
template <class T>
SolveResult minimise_with_samples(const WeightedRows<T>& rows, const LinearModelShape& shape, double alpha,
                                  const std::vector<double>& shift, RowObjective<T>& objective,
                                  const StopRule& rule, bool cold, std::vector<double>& theta);

}  // namespace maas
