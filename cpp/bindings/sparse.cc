// Fits and predictions on compressed sparse rows: each takes values, columns, starts and the column count.
#include <pybind11/numpy.h>
#include <pybind11/stl.h>

#include <map>
#include <optional>
#include <string>

#include "array.h"
#include "csr.h"
#include "engine_call.h"
#include "maas/kernels/csr.h"
#include "maas/linear/sparse_fit.h"
#include "maas/linear/sparse_least_squares.h"
#include "module.h"
#include "solver_names.h"

namespace py = pybind11;

namespace maas::bindings {
namespace {

template <class T>
std::vector<T> contiguous(const Array<T>& a) {
  const VectorView<T> view = vector_view(a);
  std::vector<T> out(view.size);
  for (size_t i = 0; i < view.size; ++i) out[i] = view[i];
  return out;
}

template <class T>
Array<T> sparse_predict(const Array<T>& values, const Array<int32_t>& columns, const Array<int64_t>& starts,
                        size_t column_count, const Array<T>& coef, const Array<T>& intercept) {
  const CsrArgument<T> x(values, columns, starts, column_count);
  const MatrixView<T> weights = matrix_view(coef);
  const std::vector<T> bias = contiguous(intercept);
  const bool flat = weights.col_stride == 1 &&
                    (weights.rows == 1 || weights.row_stride == static_cast<ptrdiff_t>(weights.cols));
  if (weights.cols != column_count || bias.size() != weights.rows || !flat) {
    throw_invalid("predict", "expected a contiguous coef of shape (k, " + std::to_string(column_count) +
                                 ") and an intercept of (k,)");
  }
  Array<T> scores({static_cast<py::ssize_t>(x.view().rows), static_cast<py::ssize_t>(weights.rows)});
  T* const out = scores.mutable_data();
  {
    const EngineCall call;
    csr_scores(x.view(), weights.data, weights.rows, bias.data(), out);
  }
  return scores;
}

py::array_t<double> to_array(const std::vector<double>& values, std::vector<py::ssize_t> shape) {
  return py::array_t<double>(std::move(shape), values.data());
}

// options: loss, outputs, intercept, l2, solver, tolerance, max_iterations, learning_rate, momentum,
// nesterov; intercept_penalty where it is not 0.
FitOptions fit_options(const py::dict& given) {
  FitOptions options;
  options.shape = {named(kLosses, given["loss"].cast<std::string>(), "loss"), given["outputs"].cast<size_t>(),
                   given["intercept"].cast<bool>()};
  if (given.contains("intercept_penalty")) {
    options.shape.intercept_penalty = given["intercept_penalty"].cast<double>();
  }
  const auto solver = given["solver"].cast<std::string>();
  options.solver = named(kSolvers, solver, "solver");
  options.l2 = given["l2"].cast<double>();
  options.tolerance = given["tolerance"].cast<double>();
  options.max_iterations = given["max_iterations"].cast<size_t>();
  options.descent.learning_rate = given["learning_rate"].cast<double>();
  options.descent.momentum = given["momentum"].cast<double>();
  using Rule = DescentOptions::Rule;
  const Rule with_momentum = given["nesterov"].cast<bool>() ? Rule::kNesterov : Rule::kMomentum;
  options.descent.rule = solver == "adam" ? Rule::kAdam : with_momentum;
  return options;
}

// -> (coef (outputs, d), intercept (outputs,), steps, status, loss curve)
template <class T>
py::tuple sparse_fit(const Array<T>& values, const Array<int32_t>& columns, const Array<int64_t>& starts,
                     size_t column_count, const Array<double>& y, const std::optional<Array<double>>& weight,
                     const py::dict& given, const std::vector<double>& start) {
  const CsrArgument<T> x(values, columns, starts, column_count);
  SparseRows<T> rows{x.view(), vector_view(y), {}};
  if (weight) rows.weight = vector_view(*weight);
  if (rows.y.size != rows.x.rows || (weight && rows.weight.size != rows.x.rows)) {
    throw_invalid("sparse_fit", "expected as many targets and weights as rows");
  }
  const FitOptions options = fit_options(given);
  FitResult result;
  {
    const EngineCall call;
    result = fit_sparse(rows, options, start);
  }
  const auto k = static_cast<py::ssize_t>(options.shape.outputs);
  return py::make_tuple(to_array(result.coef, {k, static_cast<py::ssize_t>(column_count)}),
                        to_array(result.intercept, {k}), result.iterations, name_of(result.status),
                        to_array(result.loss_curve, {static_cast<py::ssize_t>(result.loss_curve.size())}));
}

// -> (coef (t, d), intercept (t,), iterations, direct, converged)
template <class T>
py::tuple sparse_least_squares(const Array<T>& values, const Array<int32_t>& columns,
                               const Array<int64_t>& starts, size_t column_count, const Array<double>& y,
                               const std::optional<Array<double>>& weight, bool intercept,
                               const std::vector<double>& alpha, double cutoff, size_t max_iterations) {
  const CsrArgument<T> x(values, columns, starts, column_count);
  const MatrixView<double> targets = matrix_view(y);
  VectorView<double> weights;
  if (weight) weights = vector_view(*weight);
  if (targets.rows != x.view().rows || (weight && weights.size != targets.rows)) {
    throw_invalid("sparse_least_squares", "expected as many targets and weights as rows");
  }
  if (alpha.size() != 1 && alpha.size() != targets.cols) {
    throw_invalid("sparse_least_squares", "expected one penalty, or one a target");
  }
  SparseLeastSquaresFit fit;
  {
    const EngineCall call;
    fit = fit_sparse_least_squares(x.view(), targets, weights, {intercept, alpha, cutoff, max_iterations});
  }
  const auto t = static_cast<py::ssize_t>(targets.cols);
  return py::make_tuple(to_array(fit.coef, {t, static_cast<py::ssize_t>(column_count)}),
                        to_array(fit.intercept, {t}), fit.iterations, fit.direct, fit.converged);
}

template <class T>
void register_for(py::module_& m) {
  const auto exact = [] { return py::arg().noconvert(); };
  m.def("sparse_predict", &sparse_predict<T>, exact(), exact(), exact(), py::arg(), exact(), exact());
  m.def("sparse_fit", &sparse_fit<T>, exact(), exact(), exact(), py::arg(), exact(),
        py::arg().noconvert().none(true), py::arg(), py::arg());
  m.def("sparse_least_squares", &sparse_least_squares<T>, exact(), exact(), exact(), py::arg(), exact(),
        py::arg().noconvert().none(true), py::arg(), py::arg(), py::arg(), py::arg());
}

}  // namespace

void register_sparse(py::module_& m) {
  register_for<double>(m);
  register_for<float>(m);
}

}  // namespace maas::bindings
