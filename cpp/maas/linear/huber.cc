#include "maas/linear/huber.h"

#include <cmath>

#include "maas/base/error.h"
#include "maas/linear/column_shift.h"
#include "maas/linear/huber_objective.h"
#include "maas/linear/interior_point.h"
#include "maas/linear/newton.h"

namespace maas {
namespace {

// Rows of the sample that a large fit starts from.
constexpr size_t kSampleRows = 16384;

struct Targets {
  std::vector<double> y, weight;
  Targets every(size_t stride) const {
    Targets out;
    for (size_t i = 0; i < y.size(); i += stride) {
      out.y.push_back(y[i]);
      out.weight.push_back(weight[i]);
    }
    return out;
  }
  double total() const {
    double sum = 0;
    for (const double w : weight) sum += w;
    return sum;
  }
};

std::vector<double> finite_values(VectorView<double> values, const char* name) {
  std::vector<double> out(values.size);
  for (size_t i = 0; i < values.size; ++i) {
    out[i] = values[i];
    if (!std::isfinite(out[i])) throw NotFinite(name);
  }
  return out;
}

Targets check(size_t rows, VectorView<double> y, VectorView<double> weight) {
  if (y.size != rows || weight.size != rows) {
    throw_invalid("huber", "expected as many targets and weights as rows");
  }
  return {finite_values(y, "y"), finite_values(weight, "sample_weight")};
}

double weighted_mean(const Targets& targets) {
  double sum = 0;
  for (size_t i = 0; i < targets.y.size(); ++i) sum += targets.weight[i] * targets.y[i];
  return sum / targets.total();
}

// Moves theta to the optimum of the rows.
SolveResult solve(const PanelSource& source, const Targets& targets, const HuberOptions& options,
                  std::vector<double>& theta) {
  HuberObjective objective(source, targets.y, targets.weight, options);
  NewtonDirection direction(objective);
  const double square = options.tolerance * options.tolerance;
  const StopRule rule{.decrement = std::max(square * square, 1e-16),
                      .max_iterations = options.max_iterations};
  SolveResult result = minimise(objective, direction, rule, theta.data());
  // A perfect fit, as far as rounding lets one see.
  if (result.loss_curve.back() <= 1e-12 * objective.scale()) result.status = SolveStatus::kConverged;
  return result;
}

// The scale and the outliers at theta. Returns the objective there.
double describe(const PanelSource& source, const Targets& targets, const HuberOptions& options,
                const std::vector<double>& theta, HuberFit& fit) {
  HuberObjective objective(source, targets.y, targets.weight, options);
  std::vector<double> gradient(theta.size());
  const double value = objective.value_and_gradient(theta.data(), gradient.data());
  fit.scale = objective.sigma();
  fit.unit = objective.scale();
  fit.outliers.resize(targets.y.size());
  for (size_t i = 0; i < targets.y.size(); ++i) {
    fit.outliers[i] = std::abs(objective.residuals()[i]) > options.epsilon * fit.scale ? 1 : 0;
  }
  return value;
}

// What is left where the scale is zero are absolute residuals, a box problem. With epsilon = 1 that is always
// best.
SolveResult solve_absolute(const PanelSource& source, const Targets& targets, const HuberOptions& options,
                           std::vector<double>& theta, HuberFit& fit) {
  const size_t n = source.rows();
  const double middle = source.columns() > source.features() ? weighted_mean(targets) : 0.0;
  BoxProblem problem{.source = source,
                     .b = targets.y,
                     .weight = targets.weight,
                     .u = std::vector<double>(n, 0.5),
                     .l1 = 0,
                     .quadratic = {}};
  for (double& b : problem.b) b -= middle;
  for (double& w : problem.weight) w *= 4 * options.epsilon;
  if (options.l2 > 0) {
    problem.quadratic.assign(source.columns(), 2 * options.l2);
    if (source.columns() > source.features()) problem.quadratic.back() = 0;
  }
  const BoxSolution solution = minimise_boxes(problem, 1e-12, std::max<size_t>(options.max_iterations, 100));
  theta = solution.theta;
  if (source.columns() > source.features()) theta.back() += middle;
  describe(source, targets, options, theta, fit);
  if (options.epsilon > 1) return solution;
  fit.scale = kLeastHuberScale;  // the slope there is rounding
  return solution;
}

// Newton's method, and where it finds no way, as where nearly all rows are met exactly and the optimum is a
// corner, the solution without a scale if that is better.
SolveResult solve_best(const PanelSource& source, const Targets& targets, const HuberOptions& options,
                       std::vector<double>& theta, HuberFit& fit) {
  if (options.epsilon == 1) return solve_absolute(source, targets, options, theta, fit);
  const SolveResult smooth = solve(source, targets, options, theta);
  const double value = describe(source, targets, options, theta, fit);
  const bool corner = fit.scale < 1e-3 * fit.unit;
  const bool stuck = smooth.status != SolveStatus::kConverged && smooth.iterations < options.max_iterations;
  if (!stuck && !(corner && smooth.status != SolveStatus::kConverged)) return smooth;
  HuberFit other;
  std::vector<double> theta_other = theta;
  SolveResult absolute = solve_absolute(source, targets, options, theta_other, other);
  absolute.iterations += smooth.iterations;
  if (describe(source, targets, options, theta_other, other) > value) return smooth;
  theta = theta_other;
  fit = other;
  return absolute;
}

// theta <-> coef then intercept, for columns less `shift`.
std::vector<double> pack(const std::vector<double>& start, size_t features, const HuberOptions& options,
                         const std::vector<double>& shift) {
  if (start.size() != features + 1) {
    throw_invalid("huber", "expected a start of " + std::to_string(features + 1) + " weights, got " +
                               std::to_string(start.size()));
  }
  std::vector<double> theta = start;
  if (!options.intercept) theta.pop_back();
  for (size_t j = 0; options.intercept && j < shift.size(); ++j) theta.back() += start[j] * shift[j];
  return theta;
}

void unpack(const std::vector<double>& theta, size_t features, const HuberOptions& options,
            const std::vector<double>& shift, HuberFit& fit) {
  fit.coef.assign(theta.begin(), theta.begin() + static_cast<ptrdiff_t>(features));
  if (!options.intercept) return;
  fit.intercept = theta[features];
  for (size_t j = 0; j < shift.size(); ++j) fit.intercept -= fit.coef[j] * shift[j];
}

// The mean of the targets, no weights.
std::vector<double> cold_start(const PanelSource& source, const Targets& targets) {
  std::vector<double> theta(source.columns(), 0.0);
  if (source.columns() > source.features()) theta.back() = weighted_mean(targets);
  return theta;
}

}  // namespace

template <class T>
HuberFit fit_huber(const MatrixView<T>& x, VectorView<double> y, VectorView<double> weight,
                   const HuberOptions& options, const std::vector<double>& start) {
  const Targets targets = check(x.rows, y, weight);
  std::vector<double> shift;
  if (options.intercept) shift = middle_of_columns(x);
  const DensePanels<T> source(x, options.intercept, shift);
  std::vector<double> theta =
      start.empty() ? cold_start(source, targets) : pack(start, x.cols, options, shift);
  const size_t stride = x.rows / std::max(kSampleRows, 40 * x.cols) / 2 * 2 + 1;  // odd: meets any pattern
  if (start.empty() && stride > 3 && options.epsilon > 1) {
    const MatrixView<T> rows{x.data, (x.rows + stride - 1) / stride, x.cols,
                             x.row_stride * static_cast<ptrdiff_t>(stride), x.col_stride};
    const Targets sample = targets.every(stride);
    if (sample.total() > 0) solve(DensePanels<T>(rows, options.intercept, shift), sample, options, theta);
  }
  HuberFit fit;
  static_cast<SolveResult&>(fit) = solve_best(source, targets, options, theta, fit);
  unpack(theta, x.cols, options, shift, fit);
  return fit;
}

template <class T>
HuberFit fit_huber(const CsrView<T>& x, VectorView<double> y, VectorView<double> weight,
                   const HuberOptions& options, const std::vector<double>& start) {
  const Targets targets = check(x.rows, y, weight);
  const CsrPanels<T> source(x, options.intercept);
  std::vector<double> theta = start.empty() ? cold_start(source, targets) : pack(start, x.cols, options, {});
  HuberFit fit;
  static_cast<SolveResult&>(fit) = solve_best(source, targets, options, theta, fit);
  unpack(theta, x.cols, options, {}, fit);
  return fit;
}

template HuberFit fit_huber(const MatrixView<float>&, VectorView<double>, VectorView<double>,
                            const HuberOptions&, const std::vector<double>&);
template HuberFit fit_huber(const MatrixView<double>&, VectorView<double>, VectorView<double>,
                            const HuberOptions&, const std::vector<double>&);
template HuberFit fit_huber(const CsrView<float>&, VectorView<double>, VectorView<double>,
                            const HuberOptions&, const std::vector<double>&);
template HuberFit fit_huber(const CsrView<double>&, VectorView<double>, VectorView<double>,
                            const HuberOptions&, const std::vector<double>&);

}  // namespace maas
