// Minimises a smooth convex objective plus a weighted L1 penalty, f(theta) + Σ_j l1_j |theta_j|: a proximal
// quasi-Newton method. Each step minimises a quadratic model plus the penalty (linear/coordinate_descent.h);
// the model has the gradient of f and a dense matrix that starts as a Hessian and follows f by BFGS updates,
// so steps need one pass each and converge superlinearly, also when the Hessian is that of a sample of the
// rows.
#pragma once

#include <cstddef>
#include <vector>

#include "maas/linear/minimise.h"
#include "maas/linear/objective.h"
#include "maas/linear/row_objective.h"

namespace maas {

// From theta, in place. Hessians are taken from `source` (the objective itself, or that of a sample) every
// `round` steps, from the third round on from the objective. Coordinates are exactly zero where the penalty
// holds them there. rule.decrement bounds how much the model says can still fall, relative to scale(). The
// loss curve includes the penalty.
SolveResult minimise_l1(Objective& objective, Objective& source, const std::vector<double>& l1,
                        const StopRule& rule, size_t round, std::vector<double>& theta);

// As minimise_with_samples (linear/sampled_start.h) for f = the objective of `rows` plus an L1 penalty: the
// start is found on a sample where that is cheaper.
template <class T>
SolveResult minimise_l1_with_samples(const WeightedRows<T>& rows, const LinearModelShape& shape, double alpha,
                                     const std::vector<double>& shift, RowObjective<T>& objective,
                                     const std::vector<double>& l1, const StopRule& rule, bool cold,
                                     std::vector<double>& theta);

}  // namespace maas
