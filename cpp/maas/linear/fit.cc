#include "maas/linear/fit.h"

#include <algorithm>
#include <cmath>

#include "maas/base/error.h"
#include "maas/kernels/scalar_math.h"
#include "maas/linear/column_shift.h"
#include "maas/linear/lbfgs.h"
#include "maas/linear/newton.h"
#include "maas/linear/proximal_newton.h"
#include "maas/linear/row_sample.h"
#include "maas/linear/sampled_start.h"
#include "maas/linear/vector_math.h"
#include "maas/linear/working_set_fit.h"

namespace maas {
namespace {

// theta (features then intercept, an output after the other) of columns less `shift` <-> coef and intercept.
std::vector<double> pack(const std::vector<double>& start, const LinearModelShape& shape, size_t features,
                         const std::vector<double>& shift) {
  const size_t columns = features + (shape.intercept ? 1 : 0);
  std::vector<double> theta(shape.outputs * columns, 0.0);
  if (start.empty()) return theta;
  if (start.size() != shape.outputs * (features + 1)) {
    throw_invalid("fit", "expected a start of " + std::to_string(shape.outputs * (features + 1)) +
                             " weights, got " + std::to_string(start.size()));
  }
  for (size_t o = 0; o < shape.outputs; ++o) {
    const double* coef = start.data() + o * features;
    std::copy(coef, coef + features, theta.begin() + static_cast<ptrdiff_t>(o * columns));
    if (!shape.intercept) continue;
    double intercept = start[shape.outputs * features + o];
    for (size_t j = 0; j < shift.size(); ++j) intercept += coef[j] * shift[j];
    theta[o * columns + features] = intercept;
  }
  return theta;
}

template <class T>
class Fit {
 public:
  Fit(const WeightedRows<T>& rows, const FitOptions& options) : rows_(rows), options_(options) {}

  FitResult run(const std::vector<double>& start) {
    const bool descent = options_.solver == Solver::kGradientDescent || options_.solver == Solver::kAdam;
    // The path of a first-order method depends on the coordinates: it runs in the user's own.
    std::vector<double> shift;
    // A penalised intercept is the one of the user's own columns.
    const bool free =
        options_.shape.intercept && options_.intercept_l1 == 0 && options_.shape.intercept_penalty == 0;
    if (free && !descent) shift = middle_of_columns(rows_.x);

    RowObjective<T> objective(rows_, options_.shape, 0.0, shift);
    const double total = objective.total_weight();
    if (!std::isfinite(total)) throw NotFinite("sample_weight");
    if (!(total > 0)) throw_invalid("fit", "expected sample weights with a sum above zero");
    objective.set_alpha(options_.l2 / total);

    std::vector<double> theta = pack(start, options_.shape, rows_.x.cols, shift);
    const bool poisson = options_.shape.loss == Loss::kPoisson;
    if (poisson && start.empty() && options_.shape.intercept) theta.back() = scalar_log(objective.scale());
    std::vector<double> first = theta;
    FitResult result;
    static_cast<SolveResult&>(result) = solve(objective, start.empty(), shift, theta);
    // The solution for a sample may send the exponential of a row outside it so far that no step returns.
    const bool stuck =
        result.status != SolveStatus::kConverged && result.iterations < options_.max_iterations;
    if (poisson && stuck && options_.solver == Solver::kLbfgs) {
      theta.swap(first);
      NewtonDirection direction(objective);
      static_cast<SolveResult&>(result) = minimise(objective, direction, stop_rule(), theta.data());
    }
    append_unshifted(theta.data(), options_.shape, rows_.x.cols, shift, result.coef, result.intercept);
    // Where each weight has its own penalty, nothing but this ties down a shift common to all intercepts.
    if (options_.l1 > 0 && options_.shape.loss == Loss::kSoftmax) centre(result.intercept);
    return result;
  }

 private:
  StopRule stop_rule() const {
    const double square = options_.tolerance * options_.tolerance;
    return {.decrement = square * square, .max_iterations = options_.max_iterations};
  }

  SolveResult solve(RowObjective<T>& objective, bool cold, const std::vector<double>& shift,
                    std::vector<double>& theta) {
    const StopRule rule = stop_rule();
    switch (options_.solver) {
      case Solver::kNewtonCholesky: {
        NewtonDirection direction(objective);
        return minimise(objective, direction, rule, theta.data());
      }
      case Solver::kLbfgs: {
        const double alpha = options_.l2 / objective.total_weight();
        if (options_.l1 > 0) {
          return minimise_l1_with_samples(rows_, options_.shape, alpha, shift, objective,
                                          l1_weights(objective), rule, cold, theta);
        }
        if (wants_hessian(objective)) {
          NewtonDirection direction(objective);
          return minimise(objective, direction, rule, theta.data());
        }
        return minimise_with_samples(rows_, options_.shape, alpha, shift, objective, rule, cold, theta);
      }
      case Solver::kGradientDescent:
      case Solver::kAdam: break;
    }
    DescentOptions descent = options_.descent;
    descent.tolerance = options_.tolerance;
    descent.max_iterations = options_.max_iterations;
    return descend(objective, descent, theta.data());
  }

  // Curvatures that differ by orders of magnitude, or jump, leave L-BFGS few digits where it does without
  // second derivatives; Newton's method costs more there, and ends at rounding.
  bool wants_hessian(const RowObjective<T>& objective) const {
    constexpr size_t kFewColumns = 2048;
    const Loss loss = options_.shape.loss;
    return (loss == Loss::kPoisson || loss == Loss::kSquaredHinge) && objective.size() <= kFewColumns &&
           sample_rows(rows_.x.rows, objective.size(), 1) == 0;
  }

  // One a parameter.
  std::vector<double> l1_weights(const RowObjective<T>& objective) const {
    std::vector<double> l1(objective.size(), options_.l1 / objective.total_weight());
    const size_t columns = objective.size() / options_.shape.outputs;
    if (!options_.shape.intercept) return l1;
    const double intercept = options_.intercept_l1 / objective.total_weight();
    for (size_t j = rows_.x.cols; j < l1.size(); j += columns) l1[j] = intercept;
    return l1;
  }

  const WeightedRows<T>& rows_;
  const FitOptions& options_;
};

// Where a matrix of parameters × parameters would cost more than the columns that get a weight.
template <class T>
bool wide(const WeightedRows<T>& rows, const FitOptions& options) {
  constexpr size_t kMostParameters = 1024;
  return options.l1 > 0 && rows.x.cols * options.shape.outputs > kMostParameters;
}

template <class T>
std::vector<double> to_doubles(const VectorView<T>& v) {
  std::vector<double> out(v.data == nullptr ? 0 : v.size);
  for (size_t i = 0; i < out.size(); ++i) out[i] = static_cast<double>(v[i]);
  return out;
}

}  // namespace

template <class T>
FitResult fit_linear(const WeightedRows<T>& rows, const FitOptions& options,
                     const std::vector<double>& start) {
  if (wide(rows, options)) {
    return fit_working_set(rows.x, to_doubles(rows.y), to_doubles(rows.weight), options, start);
  }
  return Fit<T>(rows, options).run(start);
}

template FitResult fit_linear(const WeightedRows<float>&, const FitOptions&, const std::vector<double>&);
template FitResult fit_linear(const WeightedRows<double>&, const FitOptions&, const std::vector<double>&);

}  // namespace maas
