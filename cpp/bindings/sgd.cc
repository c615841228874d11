// Stochastic gradient descent for python/maas_engine/linear_model/_sgd.py.
#include "maas/linear/sgd.h"

#include <pybind11/stl.h>

#include <map>
#include <optional>
#include <string>

#include "array.h"
#include "csr.h"
#include "engine_call.h"
#include "maas/kernels/elementwise.h"
#include "module.h"

namespace py = pybind11;

namespace maas::bindings {

namespace {

template <class Value>
Value named(const py::dict& options, const char* key, const std::map<std::string, Value>& values) {
  const auto name = options[key].cast<std::string>();
  const auto found = values.find(name);
  if (found == values.end()) throw_invalid("sgd", std::string("unknown ") + key + " '" + name + "'");
  return found->second;
}

const std::map<std::string, SgdLoss> kLosses = {
    {"hinge", SgdLoss::kHinge},
    {"perceptron", SgdLoss::kPerceptron},
    {"squared_hinge", SgdLoss::kSquaredHinge},
    {"modified_huber", SgdLoss::kModifiedHuber},
    {"log_loss", SgdLoss::kLogLoss},
    {"squared_error", SgdLoss::kSquaredError},
    {"huber", SgdLoss::kHuber},
    {"epsilon_insensitive", SgdLoss::kEpsilonInsensitive},
    {"squared_epsilon_insensitive", SgdLoss::kSquaredEpsilonInsensitive},
};

const std::map<std::string, Schedule::Kind> kSchedules = {
    {"constant", Schedule::Kind::kConstant},     {"optimal", Schedule::Kind::kOptimal},
    {"invscaling", Schedule::Kind::kInvScaling}, {"adaptive", Schedule::Kind::kAdaptive},
    {"pa1", Schedule::Kind::kConstant},          {"pa2", Schedule::Kind::kConstant},
};

SgdOptions read_options(const py::dict& o) {
  SgdOptions options;
  SgdRules& rules = options.rules;
  rules.loss = named(o, "loss", kLosses);
  rules.epsilon = o["epsilon"].cast<double>();
  rules.alpha = o["penalty_alpha"].cast<double>();  // 0 without a penalty; the schedule keeps its own
  rules.l1_ratio = o["l1_ratio"].cast<double>();
  rules.intercept = o["fit_intercept"].cast<bool>();
  rules.average_from = o["average"].cast<double>();
  rules.aggressiveness = o["eta0"].cast<double>();
  const auto rate = o["learning_rate"].cast<std::string>();
  if (rate == "pa1") rules.step = SgdStep::kPassiveAggressive1;
  if (rate == "pa2") rules.step = SgdStep::kPassiveAggressive2;
  options.schedule = {named(o, "learning_rate", kSchedules), rules.aggressiveness, o["alpha"].cast<double>(),
                      o["power_t"].cast<double>()};
  options.max_epochs = o["max_iter"].cast<size_t>();
  options.tolerance = o["tol"].cast<double>();
  options.patience = o["n_iter_no_change"].cast<size_t>();
  options.shuffle = o["shuffle"].cast<bool>();
  options.seed = o["seed"].cast<uint64_t>();
  options.classifies = o["classifies"].cast<bool>();
  return options;
}

template <class T>
VectorView<T> optional_view(const std::optional<Array<T>>& a) {
  return a ? vector_view(*a) : VectorView<T>{};
}

using Weights = py::array_t<double, py::array::c_style>;

// Moves one task's weights between numpy's rows and the solver. `averages` may be empty (no averaging).
std::vector<SgdTask> load_tasks(const SgdOptions& options, const Weights& coef, const Weights& averages,
                                const std::vector<double>& positives,
                                const std::vector<std::pair<double, double>>& class_weights, double step) {
  const auto cols = static_cast<size_t>(coef.shape(1)) - 1;  // the last is the intercept
  std::vector<SgdTask> tasks(static_cast<size_t>(coef.shape(0)));
  for (size_t k = 0; k < tasks.size(); ++k) {
    SgdTask& task = tasks[k];
    task.state = SgdState(cols, options.rules.l1_ratio > 0 && options.rules.alpha > 0, averages.size() > 0);
    const double* row = coef.data(static_cast<py::ssize_t>(k), 0);
    task.state.set_weights(row);
    task.state.intercept = row[cols];
    task.state.step = step;
    if (averages.size() > 0) {
      const double* average = averages.data(static_cast<py::ssize_t>(k), 0);
      task.state.set_average(average);
      task.state.average_intercept = average[cols];
    }
    task.positive = positives[k];
    task.negative_weight = class_weights[k].first;
    task.positive_weight = class_weights[k].second;
  }
  return tasks;
}

void store_tasks(const std::vector<SgdTask>& tasks, Weights& coef, Weights& averages) {
  const auto cols = coef.shape(1) - 1;
  for (size_t k = 0; k < tasks.size(); ++k) {
    const auto row = static_cast<py::ssize_t>(k);
    tasks[k].state.get_weights(coef.mutable_data(row, 0));
    *coef.mutable_data(row, cols) = tasks[k].state.intercept;
    if (averages.size() > 0) {
      tasks[k].state.get_average(averages.mutable_data(row, 0));
      *averages.mutable_data(row, cols) = tasks[k].state.average_intercept;
    }
  }
}

// coef and averages: (tasks, features + 1), the last column the intercept, read and overwritten. Returns
// (epochs, diverged, loss curve) of each task.
template <class X>
py::list learn(const X& x, const Array<double>& y, const std::optional<Array<double>>& weight,
               const std::optional<Array<uint32_t>>& train, const std::optional<Array<uint32_t>>& validation,
               Weights coef, Weights averages, const std::vector<double>& positives,
               const std::vector<std::pair<double, double>>& class_weights, double step,
               const py::dict& option_dict) {
  const SgdOptions options = read_options(option_dict);
  const SgdData<X> data = {x, vector_view(y), optional_view(weight), optional_view(train),
                           optional_view(validation)};
  auto tasks = load_tasks(options, coef, averages, positives, class_weights, step);
  {
    const EngineCall call;
    sgd_fit(data, options, tasks);
  }
  store_tasks(tasks, coef, averages);
  py::list out;
  for (const SgdTask& task : tasks) out.append(py::make_tuple(task.epochs, task.diverged, task.loss_curve));
  return out;
}

template <class T>
py::list fit(const Array<T>& x, const Array<double>& y, const std::optional<Array<double>>& weight,
             const std::optional<Array<uint32_t>>& train, const std::optional<Array<uint32_t>>& validation,
             const Weights& coef, const Weights& averages, const std::vector<double>& positives,
             const std::vector<std::pair<double, double>>& class_weights, double step,
             const py::dict& options) {
  return learn(matrix_view(x), y, weight, train, validation, coef, averages, positives, class_weights, step,
               options);
}

template <class T>
py::list fit_sparse(const Array<T>& values, const Array<int32_t>& columns, const Array<int64_t>& starts,
                    size_t column_count, const Array<double>& y, const std::optional<Array<double>>& weight,
                    const std::optional<Array<uint32_t>>& train,
                    const std::optional<Array<uint32_t>>& validation, const Weights& coef,
                    const Weights& averages, const std::vector<double>& positives,
                    const std::vector<std::pair<double, double>>& class_weights, double step,
                    const py::dict& options) {
  const CsrArgument<T> x(values, columns, starts, column_count);
  return learn(x.view(), y, weight, train, validation, coef, averages, positives, class_weights, step,
               options);
}

// Natural logarithm of each value by the engine's own function: the same bits everywhere. log 0 = -infinity.
template <class T>
py::array_t<T> logarithms(const py::array_t<T, py::array::c_style>& values) {
  py::array_t<T> out(std::vector<py::ssize_t>(values.shape(), values.shape() + values.ndim()));
  const T* from = values.data();
  T* to = out.mutable_data();
  const auto count = static_cast<size_t>(values.size());
  const EngineCall call;
  map_arrays(MapOp::kLog, count, from, static_cast<const T*>(nullptr), to);
  return out;
}

}  // namespace

void register_sgd(py::module_& m) {
  m.def("sgd_fit", &fit<float>);
  m.def("sgd_fit", &fit<double>);
  m.def("sparse_sgd_fit", &fit_sparse<float>);
  m.def("sparse_sgd_fit", &fit_sparse<double>);
  m.def("logarithms", &logarithms<float>, py::arg().noconvert());
  m.def("logarithms", &logarithms<double>, py::arg().noconvert());
}

}  // namespace maas::bindings
