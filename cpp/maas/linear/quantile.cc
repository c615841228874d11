#include "maas/linear/quantile.h"

#include <cmath>

#include "maas/base/error.h"
#include "maas/linear/column_shift.h"
#include "maas/linear/interior_point.h"

namespace maas {
namespace {

// Targets within 1e-12 of the optimum, relative, are what doubles can certify.
constexpr double kTolerance = 1e-12;
constexpr size_t kMaxIterations = 200;

double weighted_mean(const std::vector<double>& values, const std::vector<double>& weights) {
  double sum = 0, total = 0;
  for (size_t i = 0; i < values.size(); ++i) {
    sum += weights[i] * values[i];
    total += weights[i];
  }
  return sum / total;
}

std::vector<double> finite_values(VectorView<double> values, const char* name) {
  std::vector<double> out(values.size);
  for (size_t i = 0; i < values.size; ++i) {
    out[i] = values[i];
    if (!std::isfinite(out[i])) throw NotFinite(name);
  }
  return out;
}

QuantileFit fit(const PanelSource& source, const std::vector<double>& shift, VectorView<double> y,
                VectorView<double> weight, const QuantileOptions& options) {
  const size_t n = source.rows();
  if (y.size != n || weight.size != n) {
    throw_invalid("quantile", "expected as many targets and weights as rows");
  }
  BoxProblem problem{.source = source,
                     .b = finite_values(y, "y"),
                     .weight = finite_values(weight, "sample_weight"),
                     .u = std::vector<double>(n, options.quantile),
                     .l1 = options.l1,
                     .quadratic = {}};
  // Targets about zero, where an intercept can take up the difference.
  const double middle = options.intercept ? weighted_mean(problem.b, problem.weight) : 0.0;
  for (double& b : problem.b) b -= middle;
  const BoxSolution solution = minimise_boxes(problem, kTolerance, kMaxIterations);
  QuantileFit result;
  static_cast<SolveResult&>(result) = solution;
  result.coef.assign(solution.theta.begin(),
                     solution.theta.begin() + static_cast<ptrdiff_t>(source.features()));
  if (!options.intercept) return result;
  result.intercept = solution.theta.back() + middle;
  for (size_t j = 0; j < shift.size(); ++j) result.intercept -= result.coef[j] * shift[j];
  return result;
}

}  // namespace

template <class T>
QuantileFit fit_quantile(const MatrixView<T>& x, VectorView<double> y, VectorView<double> weight,
                         const QuantileOptions& options) {
  std::vector<double> shift;
  if (options.intercept) shift = middle_of_columns(x);
  return fit(DensePanels<T>(x, options.intercept, shift), shift, y, weight, options);
}

template <class T>
QuantileFit fit_quantile(const CsrView<T>& x, VectorView<double> y, VectorView<double> weight,
                         const QuantileOptions& options) {
  return fit(CsrPanels<T>(x, options.intercept), {}, y, weight, options);
}

template QuantileFit fit_quantile(const MatrixView<float>&, VectorView<double>, VectorView<double>,
                                  const QuantileOptions&);
template QuantileFit fit_quantile(const MatrixView<double>&, VectorView<double>, VectorView<double>,
                                  const QuantileOptions&);
template QuantileFit fit_quantile(const CsrView<float>&, VectorView<double>, VectorView<double>,
                                  const QuantileOptions&);
template QuantileFit fit_quantile(const CsrView<double>&, VectorView<double>, VectorView<double>,
                                  const QuantileOptions&);

}  // namespace maas
