// Fits by the interior point: quantiles, hinge loss.
#include <pybind11/numpy.h>
#include <pybind11/stl.h>

#include <memory>

#include "array.h"
#include "csr.h"
#include "engine_call.h"
#include "maas/linear/hinge.h"
#include "maas/linear/quantile.h"
#include "module.h"

namespace py = pybind11;

namespace maas::bindings {
namespace {

py::tuple as_tuple(const QuantileFit& fit) {
  return py::make_tuple(py::array_t<double>(static_cast<py::ssize_t>(fit.coef.size()), fit.coef.data()),
                        fit.intercept, fit.iterations, fit.status == SolveStatus::kConverged);
}

template <class T>
py::tuple quantile_fit(const Array<T>& x, const Array<double>& y, const Array<double>& weight,
                       double quantile, double l1, bool intercept) {
  const MatrixView<T> rows = matrix_view(x);
  const VectorView<double> targets = vector_view(y), weights = vector_view(weight);
  QuantileFit fit;
  {
    const EngineCall call;
    fit = fit_quantile(rows, targets, weights, {quantile, l1, intercept});
  }
  return as_tuple(fit);
}

template <class T>
py::tuple sparse_quantile_fit(const Array<T>& values, const Array<int32_t>& columns,
                              const Array<int64_t>& starts, size_t column_count, const Array<double>& y,
                              const Array<double>& weight, double quantile, double l1, bool intercept) {
  const CsrArgument<T> x(values, columns, starts, column_count);
  const VectorView<double> targets = vector_view(y), weights = vector_view(weight);
  QuantileFit fit;
  {
    const EngineCall call;
    fit = fit_quantile(x.view(), targets, weights, {quantile, l1, intercept});
  }
  return as_tuple(fit);
}

HingeOptions hinge_options(bool squared, bool intercept, double intercept_scaling, double tolerance,
                           size_t max_iterations) {
  return {squared, intercept, intercept_scaling, tolerance, max_iterations};
}

py::tuple as_tuple(const HingeFit& fit) {
  return py::make_tuple(py::array_t<double>(static_cast<py::ssize_t>(fit.coef.size()), fit.coef.data()),
                        fit.intercept, fit.iterations, fit.status == SolveStatus::kConverged);
}

template <class T>
py::tuple hinge_fit(const Array<T>& x, const Array<double>& y, const Array<double>& weight, bool squared,
                    bool intercept, double intercept_scaling, double tolerance, size_t max_iterations) {
  const MatrixView<T> rows = matrix_view(x);
  const VectorView<double> classes = vector_view(y), weights = vector_view(weight);
  HingeFit fit;
  {
    const EngineCall call;
    fit = fit_hinge(rows, classes, weights,
                    hinge_options(squared, intercept, intercept_scaling, tolerance, max_iterations));
  }
  return as_tuple(fit);
}

template <class T>
py::tuple sparse_hinge_fit(const Array<T>& values, const Array<int32_t>& columns,
                           const Array<int64_t>& starts, size_t column_count, const Array<double>& y,
                           const Array<double>& weight, bool squared, bool intercept,
                           double intercept_scaling, double tolerance, size_t max_iterations) {
  const CsrArgument<T> x(values, columns, starts, column_count);
  const VectorView<double> classes = vector_view(y), weights = vector_view(weight);
  HingeFit fit;
  {
    const EngineCall call;
    fit = fit_hinge(x.view(), classes, weights,
                    hinge_options(squared, intercept, intercept_scaling, tolerance, max_iterations));
  }
  return as_tuple(fit);
}

template <class T>
void register_for(py::module_& m) {
  const auto exact = [] { return py::arg().noconvert(); };
  m.def("quantile_fit", &quantile_fit<T>, exact(), exact(), exact(), py::arg(), py::arg(), py::arg());
  m.def("sparse_quantile_fit", &sparse_quantile_fit<T>, exact(), exact(), exact(), py::arg(), exact(),
        exact(), py::arg(), py::arg(), py::arg());
  m.def("hinge_fit", &hinge_fit<T>, exact(), exact(), exact(), py::arg(), py::arg(), py::arg(), py::arg(),
        py::arg());
  m.def("sparse_hinge_fit", &sparse_hinge_fit<T>, exact(), exact(), exact(), py::arg(), exact(), exact(),
        py::arg(), py::arg(), py::arg(), py::arg(), py::arg());
}

}  // namespace

void register_interior_point(py::module_& m) {
  register_for<double>(m);
  register_for<float>(m);
}

}  // namespace maas::bindings
