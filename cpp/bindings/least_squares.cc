#include "maas/linear/least_squares.h"

#include <pybind11/stl.h>

#include <algorithm>

#include "array.h"
#include "engine_call.h"
#include "maas/linear/gradient_descent.h"
#include "maas/linear/svd.h"
#include "module.h"

namespace py = pybind11;

namespace maas::bindings {
namespace {

using Weights = std::optional<Array<double>>;

Array<double> copy_out(const std::vector<double>& values) {
  return Array<double>(static_cast<py::ssize_t>(values.size()), values.data());
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
                        copy_out(fit.factor), fit.orthogonal);
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
  m.def("gradient_descent", &descend<float>);
  m.def("gradient_descent", &descend<double>);
  m.def("singular_values", &singular_values);
}

}  // namespace maas::bindings
