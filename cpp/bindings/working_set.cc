// L1-penalised logistic regression of sparse rows.
#include <pybind11/stl.h>

#include <optional>
#include <string>

#include "array.h"
#include "csr.h"
#include "engine_call.h"
#include "maas/linear/working_set_fit.h"
#include "module.h"

namespace py = pybind11;

namespace maas::bindings {

namespace {

std::vector<double> to_vector(const Array<double>& a) {
  const VectorView<double> view = vector_view(a);
  std::vector<double> out(view.size);
  for (size_t i = 0; i < view.size; ++i) out[i] = view[i];
  return out;
}

py::array_t<double> to_array(const std::vector<double>& values, std::vector<py::ssize_t> shape) {
  return py::array_t<double>(std::move(shape), values.data());
}

template <class T>
py::tuple fit(const Array<T>& values, const Array<int32_t>& columns, const Array<int64_t>& starts,
              size_t column_count, const Array<double>& y, const std::optional<Array<double>>& weight,
              size_t outputs, bool intercept, double l1, double l2, double intercept_l1, double tolerance,
              size_t max_iterations, const std::vector<double>& start) {
  const CsrArgument<T> x(values, columns, starts, column_count);
  const std::vector<double> targets = to_vector(y);
  const std::vector<double> weights = weight ? to_vector(*weight) : std::vector<double>{};
  if (targets.size() != x.view().rows || (weight && weights.size() != targets.size())) {
    throw_invalid("sparse_l1_fit", "expected as many targets and weights as rows");
  }
  for (const double t : targets) {
    if (!(t >= 0 && t < static_cast<double>(std::max<size_t>(2, outputs)))) {
      throw_invalid("sparse_l1_fit", "expected targets that are class indices");
    }
  }
  FitOptions options;
  options.shape = {outputs == 1 ? Loss::kLogistic : Loss::kSoftmax, outputs, intercept};
  options.l1 = l1;
  options.l2 = l2;
  options.intercept_l1 = intercept_l1;
  options.tolerance = tolerance;
  options.max_iterations = max_iterations;
  FitResult result;
  {
    const EngineCall call;
    result = fit_working_set(x.view(), targets, weights, options, start);
  }
  const auto k = static_cast<py::ssize_t>(outputs);
  const char* status = result.status == SolveStatus::kConverged       ? "converged"
                       : result.status == SolveStatus::kMaxIterations ? "max_iter"
                                                                      : "diverged";
  return py::make_tuple(to_array(result.coef, {k, static_cast<py::ssize_t>(column_count)}),
                        to_array(result.intercept, {k}), result.iterations, status,
                        to_array(result.loss_curve, {static_cast<py::ssize_t>(result.loss_curve.size())}));
}

template <class T>
void register_for(py::module_& m) {
  const auto exact = [] { return py::arg().noconvert(); };
  m.def("sparse_l1_fit", &fit<T>, exact(), exact(), exact(), py::arg(), exact(), exact().none(true),
        py::arg(), py::arg(), py::arg(), py::arg(), py::arg(), py::arg(), py::arg(), py::arg());
}

}  // namespace

void register_working_set(py::module_& m) {
  register_for<double>(m);
  register_for<float>(m);
}

}  // namespace maas::bindings
