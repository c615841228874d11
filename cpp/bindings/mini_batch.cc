// Mini-batch descent of linear models, for the estimators' stochastic solvers.
#include "maas/linear/mini_batch.h"

#include <pybind11/stl.h>

#include <map>
#include <optional>
#include <string>

#include "array.h"
#include "engine_call.h"
#include "module.h"
#include "solver_names.h"

namespace py = pybind11;

namespace maas::bindings {

namespace {

template <class Value>
Value named(const py::dict& options, const char* key, const std::map<std::string, Value>& choices) {
  const auto name = options[key].cast<std::string>();
  const auto found = choices.find(name);
  if (found == choices.end())
    throw_invalid("mini_batch_fit", std::string("unknown ") + key + " '" + name + "'");
  return found->second;
}

const std::map<std::string, Loss> kLosses = {
    {"squared", Loss::kSquared}, {"logistic", Loss::kLogistic}, {"softmax", Loss::kSoftmax}};
const std::map<std::string, DescentOptions::Rule> kRules = {{"momentum", DescentOptions::Rule::kMomentum},
                                                            {"nesterov", DescentOptions::Rule::kNesterov},
                                                            {"adam", DescentOptions::Rule::kAdam}};
const std::map<std::string, Schedule::Kind> kSchedules = {{"constant", Schedule::Kind::kConstant},
                                                          {"invscaling", Schedule::Kind::kInvScaling},
                                                          {"adaptive", Schedule::Kind::kAdaptive}};

MiniBatchOptions read_options(const py::dict& o) {
  MiniBatchOptions options;
  options.shape = {named(o, "loss", kLosses), o["outputs"].cast<size_t>(), o["fit_intercept"].cast<bool>()};
  options.l2 = o["l2"].cast<double>();
  options.descent.rule = named(o, "rule", kRules);
  options.descent.momentum = o["momentum"].cast<double>();
  options.schedule.kind = named(o, "learning_rate", kSchedules);
  options.schedule.eta0 = o["eta0"].cast<double>();
  options.schedule.power = o["power_t"].cast<double>();
  options.batch_rows = o["batch_size"].cast<size_t>();
  options.max_epochs = o["max_iter"].cast<size_t>();
  options.tolerance = o["tol"].cast<double>();
  options.patience = o["n_iter_no_change"].cast<size_t>();
  options.shuffle = o["shuffle"].cast<bool>();
  options.seed = o["seed"].cast<uint64_t>();
  return options;
}

template <class T>
py::tuple fit(const Array<T>& x, const Array<T>& y, const std::optional<Array<T>>& weight,
              const py::dict& option_dict, const std::vector<double>& start) {
  const MiniBatchOptions options = read_options(option_dict);
  WeightedRows<T> rows{matrix_view(x), vector_view(y), {}};
  if (weight) rows.weight = vector_view(*weight);
  FitResult result;
  {
    const EngineCall call;
    result = fit_mini_batch(rows, options, start);
  }
  const auto outputs = static_cast<py::ssize_t>(options.shape.outputs);
  const py::array_t<double> coef({outputs, x.shape(1)}, result.coef.data());
  const py::array_t<double> intercept(outputs, result.intercept.data());
  return py::make_tuple(coef, intercept, result.iterations, name_of(result.status), result.loss_curve);
}

}  // namespace

void register_mini_batch(py::module_& m) {
  m.def("mini_batch_fit", &fit<double>, py::arg().noconvert(), py::arg().noconvert(),
        py::arg().noconvert().none(true), py::arg(), py::arg());
  m.def("mini_batch_fit", &fit<float>, py::arg().noconvert(), py::arg().noconvert(),
        py::arg().noconvert().none(true), py::arg(), py::arg());
}

}  // namespace maas::bindings
