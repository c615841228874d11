#include "maas/linear/iterative_least_squares.h"

#include <algorithm>
#include <cmath>

#include "maas/linear/gram_state.h"
#include "maas/linear/lbfgs.h"
#include "maas/linear/quadratic_objective.h"

namespace maas {
namespace {

constexpr size_t kMemory = 10;  // L-BFGS pairs, scikit-learn's and scipy's number

// The largest eigenvalue of the Hessian by power iteration, which comes from below: one percent on top covers
// what twenty steps leave, and descent is stable up to twice the inverse anyway.
double largest_curvature(const QuadraticObjective& objective, const std::vector<double>& hessian) {
  const size_t d = objective.size();
  std::vector<double> x(d, 1.0), next(d);
  double norm = 0;
  for (int k = 0; k < 20; ++k) {
    double square = 0;
    for (size_t i = 0; i < d; ++i) {
      next[i] = 0;
      for (size_t j = 0; j < d; ++j) next[i] += hessian[i * d + j] * x[j];
      square += next[i] * next[i];
    }
    norm = std::sqrt(square);
    if (!(norm > 0) || !std::isfinite(norm)) return 1;
    for (size_t i = 0; i < d; ++i) x[i] = next[i] / norm;
  }
  return 1.01 * norm;
}

double automatic_rate(QuadraticObjective& objective) {
  std::vector<double> hessian(objective.size() * objective.size());
  objective.hessian(nullptr, hessian.data());
  return 1 / largest_curvature(objective, hessian);
}

SolveResult solve(QuadraticObjective& objective, const IterativeOptions& options, double& rate,
                  double* theta) {
  const size_t d = objective.size();
  if (options.lbfgs) {
    LbfgsDirection direction(d, kMemory);
    const double tolerance = options.descent.tolerance;
    return minimise(objective, direction, {tolerance * tolerance, options.descent.max_iterations}, theta);
  }
  DescentOptions descent = options.descent;
  const std::vector<double> zero(d, 0.0);
  std::vector<double> gradient(d);
  objective.value_and_gradient(zero.data(), gradient.data());
  double largest = 0;
  for (const double g : gradient) largest = std::max(largest, std::fabs(g));
  descent.tolerance *= largest;
  if (rate == 0) rate = descent.learning_rate = automatic_rate(objective);
  return descend(objective, descent, theta);
}

}  // namespace

template <class T>
IterativeFit fit_iteratively(const RegressionRows<T>& rows, const IterativeOptions& options,
                             const std::vector<double>& start) {
  const GramState state = gram_state(rows);
  const std::vector<double> raw = options.intercept ? std::vector<double>() : state.about_origin();
  const std::vector<double>& moments = options.intercept ? state.centred : raw;
  const size_t d = state.features, t = state.targets, p = state.size();
  IterativeFit fit;
  fit.coef = start.empty() ? std::vector<double>(t * d, 0.0) : start;
  fit.intercept.assign(t, 0.0);
  for (size_t k = 0; k < t; ++k) {
    const double alpha = options.alpha.size() == 1 ? options.alpha[0] : options.alpha[k];
    QuadraticObjective objective(moments.data(), p, d, moments.data() + d + k, moments[(d + k) * p + d + k],
                                 state.weight, alpha / state.weight);
    double rate = options.descent.learning_rate;
    double* coef = fit.coef.data() + k * d;
    fit.results.push_back(solve(objective, options, rate, coef));
    fit.learning_rate.push_back(rate);
    if (!options.intercept) continue;
    fit.intercept[k] = state.mean[d + k];
    for (size_t j = 0; j < d; ++j) fit.intercept[k] -= coef[j] * state.mean[j];
  }
  return fit;
}

template IterativeFit fit_iteratively(const RegressionRows<float>&, const IterativeOptions&,
                                      const std::vector<double>&);
template IterativeFit fit_iteratively(const RegressionRows<double>&, const IterativeOptions&,
                                      const std::vector<double>&);

}  // namespace maas
