#include "maas/linear/gradient_descent.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "maas/base/interrupt.h"
#include "maas/linear/fit.h"
#include "maas/linear/gram_state.h"

namespace maas {
namespace {

// Per row and feature, in units of reading and packing a value: a pass reads it and does two multiply-adds;
// the Gram pass does d/2 multiply-adds, of which about 20 take as long as the reading. An iteration on the
// Gram matrix costs d² multiply-adds outside vectors' best, about 2 units each.
bool gram_is_cheaper(double m, double d, double iterations) {
  const double gram = m * d * (1 + d / 40) + iterations * d * d * 2;
  return gram < m * d * 1.2 * iterations;
}

// Finite in the caller's type, whose largest value is `limit`.
bool all_within(const double* v, size_t n, double limit) {
  bool within = true;
  for (size_t i = 0; i < n; ++i) within &= std::fabs(v[i]) <= limit;
  return within;
}

// θ ← θ − (Gθ − b), the step length already in G and b.
void step(const double* gram, const double* b, size_t d, const double* theta, double* next) {
  for (size_t i = 0; i < d; ++i) next[i] = -b[i];
  for (size_t j = 0; j < d; ++j) {
    const double* row = gram + j * d;
    const double t = theta[j];
    for (size_t i = 0; i < d; ++i) next[i] += row[i] * t;
  }
  for (size_t i = 0; i < d; ++i) next[i] = theta[i] - next[i];
}

// Steps between two looks at Ctrl-C: a few milliseconds of work.
size_t steps_per_poll(size_t d) { return std::max<size_t>(1, (size_t{1} << 20) / (d * d)); }

// The same for one feature, without the loops: a thousand steps are a chain of three operations each.
GradientDescentResult descend_one(double gram, double b, size_t iterations, double limit, double& theta) {
  const size_t period = steps_per_poll(1);
  for (size_t k = 0; k < iterations; ++k) {
    if (k % period == period - 1) poll_interrupt();
    const double next = theta - (gram * theta - b);
    if (!(std::fabs(next) <= limit)) return {k, true};
    theta = next;
  }
  return {iterations, false};
}

GradientDescentResult descend_gram(const std::vector<double>& gram, const std::vector<double>& b,
                                   size_t iterations, double limit, double* theta) {
  const size_t d = b.size();
  if (d == 1) return descend_one(gram[0], b[0], iterations, limit, *theta);
  const size_t period = steps_per_poll(d);
  std::vector<double> next(d);
  for (size_t k = 0; k < iterations; ++k) {
    if (k % period == period - 1) poll_interrupt();
    step(gram.data(), b.data(), d, theta, next.data());
    if (!all_within(next.data(), d, limit)) return {k, true};
    std::copy(next.begin(), next.end(), theta);
  }
  return {iterations, false};
}

template <class T>
GradientDescentResult descend_passes(MatrixView<T> x, VectorView<T> y, double alpha, size_t iterations,
                                     double* theta) {
  FitOptions options;
  options.shape = {Loss::kSquared, 1, false};
  options.solver = Solver::kGradientDescent;
  options.l2 = 0;
  options.tolerance = 0;
  options.max_iterations = iterations;
  options.descent.learning_rate = alpha;
  std::vector<double> start(theta, theta + x.cols);
  start.push_back(0);  // the intercept that this model has not
  const FitResult fit = fit_linear<T>({x, y, {}}, options, start);
  std::copy(fit.coef.begin(), fit.coef.end(), theta);
  return {fit.iterations, fit.status == SolveStatus::kDiverged};
}

}  // namespace

template <class T>
GradientDescentResult gradient_descent(MatrixView<T> x, VectorView<T> y, double alpha, size_t iterations,
                                       double* theta) {
  const size_t m = x.rows, d = x.cols;
  if (iterations == 0) return {};
  if (!gram_is_cheaper(static_cast<double>(m), static_cast<double>(d), static_cast<double>(iterations))) {
    return descend_passes(x, y, alpha, iterations, theta);
  }
  const RegressionRows<T> rows{x, {y.data, m, 1, y.stride, 1}, {}};
  const GramState state = gram_state(rows);
  const std::vector<double> moments = state.about_origin();
  std::vector<double> gram(d * d), b(d);
  const double scale = alpha / static_cast<double>(m);
  for (size_t i = 0; i < d; ++i) {
    for (size_t j = 0; j < d; ++j) gram[i * d + j] = scale * moments[i * (d + 1) + j];
    b[i] = scale * moments[i * (d + 1) + d];
  }
  return descend_gram(gram, b, iterations, static_cast<double>(std::numeric_limits<T>::max()), theta);
}

template GradientDescentResult gradient_descent(MatrixView<float>, VectorView<float>, double, size_t,
                                                double*);
template GradientDescentResult gradient_descent(MatrixView<double>, VectorView<double>, double, size_t,
                                                double*);

}  // namespace maas
