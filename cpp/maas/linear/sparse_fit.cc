#include "maas/linear/sparse_fit.h"

#include <algorithm>
#include <cmath>
#include <string>

#include "maas/base/error.h"
#include "maas/kernels/scalar_math.h"
#include "maas/linear/newton.h"
#include "maas/linear/newton_cg.h"
#include "maas/linear/vector_math.h"

namespace maas {
namespace {

// coef, then intercept, as FitResult has them -> theta.
std::vector<double> pack(const std::vector<double>& start, const LinearModelShape& shape, size_t features) {
  const size_t columns = features + (shape.intercept ? 1 : 0);
  std::vector<double> theta(shape.outputs * columns, 0.0);
  if (start.empty()) return theta;
  if (start.size() != shape.outputs * (features + 1)) {
    throw_invalid("fit", "expected a start of " + std::to_string(shape.outputs * (features + 1)) +
                             " weights, got " + std::to_string(start.size()));
  }
  for (size_t o = 0; o < shape.outputs; ++o) {
    const auto from = start.begin() + static_cast<ptrdiff_t>(o * features);
    std::copy(from, from + static_cast<ptrdiff_t>(features),
              theta.begin() + static_cast<ptrdiff_t>(o * columns));
    if (shape.intercept) theta[o * columns + features] = start[shape.outputs * features + o];
  }
  return theta;
}

void unpack(const std::vector<double>& theta, const LinearModelShape& shape, size_t features,
            FitResult& result) {
  const size_t columns = features + (shape.intercept ? 1 : 0);
  for (size_t o = 0; o < shape.outputs; ++o) {
    const double* const coef = theta.data() + o * columns;
    result.coef.insert(result.coef.end(), coef, coef + features);
    result.intercept.push_back(shape.intercept ? coef[features] : 0.0);
  }
}

// Where a Hessian of all parameters costs less than the products it saves.
template <class T>
bool small(const SparseRows<T>& rows, const SparseObjective<T>& objective) {
  const size_t n = objective.size();
  if (n > 512) return false;
  const size_t row = rows.x.nonzeros() / std::max<size_t>(1, rows.x.rows) + 1;
  const size_t outputs = objective.blocks();
  return row * outputs <= 64 || n <= 64;
}

template <class T>
SolveResult solve(const SparseRows<T>& rows, const FitOptions& options, SparseObjective<T>& objective,
                  double* theta) {
  if (options.solver == Solver::kGradientDescent || options.solver == Solver::kAdam) {
    DescentOptions descent = options.descent;
    descent.tolerance = options.tolerance;
    descent.max_iterations = options.max_iterations;
    return descend(objective, descent, theta);
  }
  const double square = options.tolerance * options.tolerance;
  StopRule rule{.decrement = square * square, .max_iterations = options.max_iterations};
  if (small(rows, objective)) {
    NewtonDirection direction(objective);
    return minimise(objective, direction, rule, theta);
  }
  rule.decrement = square / 1e4;
  NewtonCgDirection direction(objective, rule.decrement * objective.scale());
  return minimise(objective, direction, rule, theta);
}

}  // namespace

template <class T>
FitResult fit_sparse(const SparseRows<T>& rows, const FitOptions& options, const std::vector<double>& start) {
  SparseObjective<T> objective(rows, options.shape, 0.0);
  if (!(objective.total_weight() > 0)) {
    throw_invalid("fit", "expected sample weights with a sum above zero");
  }
  objective.set_alpha(options.l2 / objective.total_weight());
  // theta holds the weight of a constant column, the intercept is that times the constant.
  const double constant =
      options.shape.intercept_penalty > 0 ? 1 / std::sqrt(options.shape.intercept_penalty) : 1.0;
  if (options.shape.intercept_penalty > 0) objective.set_intercept(constant, true);
  std::vector<double> theta = pack(start, options.shape, rows.x.cols);
  // The mean of the targets is where a log link starts.
  if (options.shape.loss == Loss::kPoisson && start.empty() && options.shape.intercept) {
    theta.back() = scalar_log(objective.scale());
  }
  FitResult result;
  static_cast<SolveResult&>(result) = solve(rows, options, objective, theta.data());
  unpack(theta, options.shape, rows.x.cols, result);
  for (double& intercept : result.intercept) intercept *= constant;
  if (options.shape.loss == Loss::kSoftmax) centre(result.intercept);
  return result;
}

template FitResult fit_sparse(const SparseRows<float>&, const FitOptions&, const std::vector<double>&);
template FitResult fit_sparse(const SparseRows<double>&, const FitOptions&, const std::vector<double>&);

}  // namespace maas
