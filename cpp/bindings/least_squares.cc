#include "maas/linear/least_squares.h"

#include <pybind11/stl.h>

#include <algorithm>
#include <memory>

#include "array.h"
#include "engine_call.h"
#include "maas/linear/gradient_descent.h"
#include "maas/linear/iterative_least_squares.h"
#include "maas/linear/svd.h"
#include "module.h"
#include "solver_names.h"

namespace py = pybind11;

namespace maas::bindings {
namespace {

using Weights = std::optional<Array<double>>;

Array<double> copy_out(const std::vector<double>& values) {
  return Array<double>(static_cast<py::ssize_t>(values.size()), values.data());
}

// The vector itself as an array: a triangular factor may be tens of megabytes.
Array<double> move_out(std::vector<double>&& values) {
  auto owned = std::make_unique<std::vector<double>>(std::move(values));
  const double* data = owned->data();
  const auto size = static_cast<py::ssize_t>(owned->size());
  const py::capsule owner(owned.get(), [](void* p) { delete static_cast<std::vector<double>*>(p); });
  owned.release();
  return Array<double>(size, data, owner);
}

// x (n, d), y (n, t), weights (n,) or None, intercept, alpha (list), cutoff, orthogonal ->
// (coef (t * d,), intercept (t,), rank, singular values, triangular factor (m * m,), orthogonal)
template <class T>
py::tuple least_squares(const Array<T>& x, const Array<T>& y, const Weights& weights, bool intercept,
                        std::vector<double> alpha, double cutoff, bool orthogonal) {
  RegressionRows<T> rows{matrix_view(x), matrix_view(y), {}};
  if (weights) rows.weights = vector_view(*weights);
  LeastSquaresFit fit;
  {
    const EngineCall call;
    fit = fit_least_squares(rows, {intercept, std::move(alpha), cutoff, orthogonal});
  }
  return py::make_tuple(copy_out(fit.coef), copy_out(fit.intercept), fit.rank, copy_out(fit.singular),
                        move_out(std::move(fit.factor)), fit.orthogonal);
}

// Of a square matrix, descending.
Array<double> singular_values(const Array<double>& matrix) {
  const auto m = matrix_view(matrix);
  std::vector<double> flat(m.rows * m.cols), out;
  for (size_t i = 0; i < m.rows; ++i) {
    for (size_t j = 0; j < m.cols; ++j) flat[i * m.cols + j] = m(i, j);
  }
  {
    const EngineCall call;
    out = svd(flat.data(), m.cols).singular;
  }
  return copy_out(out);
}

// x (n, d), y (n, t), weights, intercept, alpha (list), solver, learning rate (0: chosen), momentum,
// nesterov, tolerance, most iterations, start (t * d values or none) -> (coef (t * d,), intercept (t,), one
// (iterations, status, loss curve, learning rate) a target)
template <class T>
py::tuple iterative_least_squares(const Array<T>& x, const Array<T>& y, const Weights& weights,
                                  bool intercept, std::vector<double> alpha, const std::string& solver,
                                  double learning_rate, double momentum, bool nesterov, double tolerance,
                                  size_t max_iterations, const std::vector<double>& start) {
  RegressionRows<T> rows{matrix_view(x), matrix_view(y), {}};
  if (weights) rows.weights = vector_view(*weights);
  using Rule = DescentOptions::Rule;
  IterativeOptions options;
  options.intercept = intercept;
  options.alpha = std::move(alpha);
  options.lbfgs = solver == "lbfgs";
  options.descent.rule = solver == "adam" ? Rule::kAdam : nesterov ? Rule::kNesterov : Rule::kMomentum;
  options.descent.learning_rate = learning_rate;
  options.descent.momentum = momentum;
  options.descent.tolerance = tolerance;
  options.descent.max_iterations = max_iterations;
  IterativeFit fit;
  {
    const EngineCall call;
    fit = fit_iteratively(rows, options, start);
  }
  py::list results;
  for (size_t k = 0; k < fit.results.size(); ++k) {
    const SolveResult& r = fit.results[k];
    results.append(
        py::make_tuple(r.iterations, name_of(r.status), copy_out(r.loss_curve), fit.learning_rate[k]));
  }
  return py::make_tuple(copy_out(fit.coef), copy_out(fit.intercept), std::move(results));
}

// x (m, d), y (m,), theta (d,) of the same type -> (new theta, iterations done, diverged)
template <class T>
py::tuple descend(const Array<T>& x, const Array<T>& y, const Array<T>& theta, double alpha,
                  size_t iterations) {
  const auto rows = matrix_view(x);
  const auto targets = vector_view(y), start = vector_view(theta);
  std::vector<double> weights(start.size);
  for (size_t j = 0; j < start.size; ++j) weights[j] = static_cast<double>(start[j]);
  GradientDescentResult result;
  {
    const EngineCall call;
    result = gradient_descent(rows, targets, alpha, iterations, weights.data());
  }
  Array<T> out(static_cast<py::ssize_t>(weights.size()));
  std::transform(weights.begin(), weights.end(), out.mutable_data(),
                 [](double w) { return static_cast<T>(w); });
  return py::make_tuple(std::move(out), result.iterations, result.diverged);
}

}  // namespace

void register_least_squares(py::module_& m) {
  m.def("least_squares", &least_squares<float>);
  m.def("least_squares", &least_squares<double>);
  m.def("iterative_least_squares", &iterative_least_squares<float>);
  m.def("iterative_least_squares", &iterative_least_squares<double>);
  m.def("gradient_descent", &descend<float>);
  m.def("gradient_descent", &descend<double>);
  m.def("singular_values", &singular_values);
}

}  // namespace maas::bindings
