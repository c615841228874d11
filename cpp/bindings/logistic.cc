// Full-batch fits of linear models and the probabilities of their scores.
#include <pybind11/stl.h>

#include <map>
#include <optional>
#include <string>

#include "array.h"
#include "engine_call.h"
#include "maas/linear/fit.h"
#include "maas/linear/probabilities.h"
#include "module.h"
#include "solver_names.h"

namespace py = pybind11;

namespace maas::bindings {

namespace {

py::array_t<double> to_array(const std::vector<double>& values, std::vector<py::ssize_t> shape) {
  return py::array_t<double>(std::move(shape), values.data());
}

template <class T>
py::tuple linear_fit(const Array<T>& x, const Array<T>& y, const std::optional<Array<T>>& weight,
                     const std::string& loss, size_t outputs, bool intercept, double l2,
                     const std::string& solver, double tolerance, size_t max_iterations, double learning_rate,
                     double momentum, bool nesterov, const std::vector<double>& start, double l1,
                     double intercept_l1, double intercept_penalty) {
  WeightedRows<T> rows{matrix_view(x), vector_view(y), {}};
  if (weight) rows.weight = vector_view(*weight);
  if (rows.y.size != rows.x.rows || (weight && rows.weight.size != rows.x.rows)) {
    throw_invalid("linear_fit", "expected as many targets and weights as rows");
  }
  FitOptions options;
  options.shape = {named(kLosses, loss, "loss"), outputs, intercept, intercept_penalty};
  options.solver = named(kSolvers, solver, "solver");
  options.l2 = l2;
  options.l1 = l1;
  options.intercept_l1 = intercept_l1;
  options.tolerance = tolerance;
  options.max_iterations = max_iterations;
  options.descent.learning_rate = learning_rate;
  options.descent.momentum = momentum;
  using Rule = DescentOptions::Rule;
  options.descent.rule = solver == "adam" ? Rule::kAdam : (nesterov ? Rule::kNesterov : Rule::kMomentum);

  FitResult result;
  {
    const EngineCall call;
    result = fit_linear(rows, options, start);
  }
  const auto k = static_cast<py::ssize_t>(outputs);
  return py::make_tuple(to_array(result.coef, {k, x.shape(1)}), to_array(result.intercept, {k}),
                        result.iterations, name_of(result.status),
                        to_array(result.loss_curve, {static_cast<py::ssize_t>(result.loss_curve.size())}));
}

template <class T>
py::array_t<T> probabilities(const Array<T>& scores, bool log) {
  const MatrixView<T> view = matrix_view(scores);
  py::array_t<T> out({scores.shape(0), std::max<py::ssize_t>(2, scores.shape(1))});
  T* const data = out.mutable_data();
  {
    const EngineCall call;
    class_probabilities(view, log, data);
  }
  return out;
}

template <class T>
py::array_t<T> exponentials(const Array<T>& scores) {
  const VectorView<T> view = vector_view(scores);
  py::array_t<T> out(scores.shape(0));
  T* const data = out.mutable_data();
  {
    const EngineCall call;
    exponentials(view, data);
  }
  return out;
}

template <class T>
void register_for(py::module_& m) {
  m.def("linear_fit", &linear_fit<T>, py::arg().noconvert(), py::arg().noconvert(),
        py::arg().noconvert().none(true), py::arg(), py::arg(), py::arg(), py::arg(), py::arg(), py::arg(),
        py::arg(), py::arg(), py::arg(), py::arg(), py::arg(), py::arg("l1") = 0.0,
        py::arg("intercept_l1") = 0.0, py::arg("intercept_penalty") = 0.0);
  m.def("exponentials", &exponentials<T>, py::arg().noconvert());
  m.def("class_probabilities", &probabilities<T>, py::arg().noconvert(), py::arg());
}

}  // namespace

void register_logistic(py::module_& m) {
  register_for<double>(m);
  register_for<float>(m);
}

}  // namespace maas::bindings
