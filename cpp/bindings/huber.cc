// Robust regression.
#include "maas/linear/huber.h"

#include <pybind11/numpy.h>
#include <pybind11/stl.h>

#include <algorithm>

#include "array.h"
#include "csr.h"
#include "engine_call.h"
#include "module.h"

namespace py = pybind11;

namespace maas::bindings {
namespace {

HuberOptions options_of(double epsilon, double l2, bool intercept, double tolerance, size_t max_iterations) {
  return {epsilon, l2, intercept, tolerance, max_iterations};
}

// -> (coef, intercept, scale, outliers, steps, whether they were enough)
py::tuple as_tuple(const HuberFit& fit) {
  py::array_t<bool> outliers(static_cast<py::ssize_t>(fit.outliers.size()));
  std::copy(fit.outliers.begin(), fit.outliers.end(), outliers.mutable_data());
  return py::make_tuple(py::array_t<double>(static_cast<py::ssize_t>(fit.coef.size()), fit.coef.data()),
                        fit.intercept, fit.scale, outliers, fit.iterations,
                        fit.status == SolveStatus::kConverged);
}

template <class T>
py::tuple huber_fit(const Array<T>& x, const Array<double>& y, const Array<double>& weight, double epsilon,
                    double l2, bool intercept, double tolerance, size_t max_iterations,
                    const std::vector<double>& start) {
  const MatrixView<T> rows = matrix_view(x);
  const VectorView<double> targets = vector_view(y), weights = vector_view(weight);
  HuberFit fit;
  {
    const EngineCall call;
    fit = fit_huber(rows, targets, weights, options_of(epsilon, l2, intercept, tolerance, max_iterations),
                    start);
  }
  return as_tuple(fit);
}

template <class T>
py::tuple sparse_huber_fit(const Array<T>& values, const Array<int32_t>& columns,
                           const Array<int64_t>& starts, size_t column_count, const Array<double>& y,
                           const Array<double>& weight, double epsilon, double l2, bool intercept,
                           double tolerance, size_t max_iterations, const std::vector<double>& start) {
  const CsrArgument<T> x(values, columns, starts, column_count);
  const VectorView<double> targets = vector_view(y), weights = vector_view(weight);
  HuberFit fit;
  {
    const EngineCall call;
    fit = fit_huber(x.view(), targets, weights, options_of(epsilon, l2, intercept, tolerance, max_iterations),
                    start);
  }
  return as_tuple(fit);
}

template <class T>
void register_for(py::module_& m) {
  const auto exact = [] { return py::arg().noconvert(); };
  m.def("huber_fit", &huber_fit<T>, exact(), exact(), exact(), py::arg(), py::arg(), py::arg(), py::arg(),
        py::arg(), py::arg());
  m.def("sparse_huber_fit", &sparse_huber_fit<T>, exact(), exact(), exact(), py::arg(), exact(), exact(),
        py::arg(), py::arg(), py::arg(), py::arg(), py::arg(), py::arg());
}

}  // namespace

void register_huber(py::module_& m) {
  register_for<double>(m);
  register_for<float>(m);
}

}  // namespace maas::bindings
