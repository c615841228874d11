// Training of networks: an epoch is one call, without the GIL.
#include "maas/nn/trainer.h"

#include <pybind11/stl.h>

#include <algorithm>
#include <atomic>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <variant>

#include "array.h"
#include "checked_graph.h"
#include "engine_call.h"
#include "maas/base/error.h"
#include "maas/nn/without_dropout.h"
#include "module.h"
#include "row_source.h"
#include "tensor_array.h"
#include "trainer_options.h"

namespace py = pybind11;

namespace maas::bindings {

namespace {

// Sums, and what their means are of.
struct FinishedResult {
  TrainResult sums;
  std::vector<MetricOptions> metrics;

  double loss() const { return sums.loss.weight == 0 ? 0 : sums.loss.loss / sums.loss.weight; }
  std::vector<double> metric_values() const {
    std::vector<double> values;
    for (size_t i = 0; i < metrics.size(); ++i) {
      values.push_back(sums.metrics[i].count == 0 ? 0 : finish_metric(metrics[i], sums.metrics[i]));
    }
    return values;
  }
  std::optional<size_t> bad_step() const {
    return sums.bad_step == TrainResult::kNone ? std::nullopt : std::optional(sums.bad_step);
  }
  void merge(const FinishedResult& other) {
    if (metrics.size() != other.metrics.size()) throw_invalid("TrainResult", "expected the same metrics");
    if (!bad_step() && other.bad_step()) {
      sums.bad_step = sums.steps + *other.bad_step();
      sums.bad_loss = other.sums.bad_loss;
    }
    sums.steps += other.sums.steps;
    sums.loss.loss += other.sums.loss.loss;
    sums.loss.weight += other.sums.loss.weight;
    for (size_t i = 0; i < metrics.size(); ++i) {
      sums.metrics[i].sum += other.sums.metrics[i].sum;
      sums.metrics[i].count += other.sums.metrics[i].count;
    }
  }
};

using OptionalWeights = std::optional<Array<double>>;

TrainingRows to_rows(const py::array& x, const py::array& y, const OptionalWeights& weight) {
  TrainingRows rows{row_source(x, "x"), row_source(y, "y"), {}};
  if (weight) rows.weight = vector_view(*weight);
  return rows;
}

// Held by the one call that works on a Trainer.
class Use {
 public:
  explicit Use(std::atomic_flag& busy) : busy_(busy) {
    if (busy.test_and_set(std::memory_order_acquire)) {
      throw_invalid("Trainer", "expected one thread at a time: another call is still running");
    }
  }
  ~Use() { busy_.clear(std::memory_order_release); }
  Use(const Use&) = delete;
  Use& operator=(const Use&) = delete;

 private:
  std::atomic_flag& busy_;
};

// A Trainer of the graph's type. Used by one thread at a time: a second one is told so.
class AnyTrainer {
 public:
  AnyTrainer(const CheckedGraph& checked, const std::vector<ParameterTuple>& parameters, const py::dict& loss,
             const std::vector<std::string>& metrics, const py::dict& optimizer, uint64_t seed,
             bool penalty_per_row)
      : slot_names_(optimizer_slots(to_optimizer(optimizer))) {
    const Graph& graph = checked.graph;
    if (graph.outputs.empty()) throw_invalid("Trainer", "expected a graph with an output");
    const ValueType& type = graph.outputs[0].type;
    const LossOptions options = to_loss(loss);
    std::vector<MetricOptions> metric_options;
    for (const std::string& name : metrics) {
      metric_options.push_back(metric_by_name(name, options.kind, elements(type.shape)));
    }
    const auto make = [&](auto zero) {
      using T = decltype(zero);
      trainer_ = std::make_unique<Trainer<T>>(graph, to_parameters(parameters), options, metric_options,
                                              to_optimizer(optimizer), seed, penalty_per_row);
    };
    if (type.dtype != DType::kFloat32 && type.dtype != DType::kFloat64) {
      throw_invalid("Trainer",
                    std::string("expected an output of float32 or float64, got ") + dtype_name(type.dtype));
    }
    type.dtype == DType::kFloat32 ? make(0.0F) : make(0.0);
  }

  template <class Fn>
  decltype(auto) visit(Fn&& fn) {
    const Use use(busy_);
    return std::visit([&](auto& trainer) -> decltype(auto) { return fn(*trainer); }, trainer_);
  }

  FinishedResult run(const py::array& x, const py::array& y, const OptionalWeights& weight,
                     const std::optional<Array<uint32_t>>& order, size_t batch_size,
                     const Array<double>& learning_rates) {
    const TrainingRows rows = to_rows(x, y, weight);
    const auto places = order ? vector_view(*order) : VectorView<uint32_t>{};
    const auto rates = vector_view(learning_rates);
    const bool nothing = order && places.size == 0;  // whose data may be null
    return visit([&](auto& trainer) -> FinishedResult {
      if (nothing)
        return {TrainResult{{}, std::vector<MetricSum>(trainer.metrics().size())}, trainer.metrics()};
      const EngineCall call;
      return {trainer.run(rows, places, batch_size, rates), trainer.metrics()};
    });
  }
  double gradient(const py::array& x, const py::array& y, const OptionalWeights& weight) {
    const TrainingRows rows = to_rows(x, y, weight);
    const EngineCall call;
    const LossSum sum = visit([&](auto& trainer) { return trainer.gradient(rows); });
    return sum.weight == 0 ? 0 : sum.loss / sum.weight;
  }
  FinishedResult evaluate(const py::array& x, const py::array& y, const OptionalWeights& weight) {
    const TrainingRows rows = to_rows(x, y, weight);
    const EngineCall call;
    return visit([&](auto& trainer) { return FinishedResult{trainer.evaluate(rows), trainer.metrics()}; });
  }

  // --- state ---

  // One array for each parameter that `wanted` says, filled by fill(network, index, data).
  template <class Wanted, class Fill>
  py::list arrays(Wanted wanted, Fill fill) {
    return visit([&]<class T>(Trainer<T>& trainer) {
      py::list out;
      const auto& specs = trainer.network().parameters();
      for (size_t i = 0; i < specs.size(); ++i) {
        if (!wanted(specs[i])) continue;
        py::array_t<T> array(std::vector<py::ssize_t>(specs[i].shape.begin(), specs[i].shape.end()));
        fill(trainer.network(), i, array.mutable_data());
        out.append(array);
      }
      return out;
    });
  }
  // The other way, from arrays of the right shapes and type.
  template <class Wanted, class Take>
  void take(const py::list& arrays, Wanted wanted, Take take) {
    visit([&]<class T>(Trainer<T>& trainer) {
      const auto& specs = trainer.network().parameters();
      std::vector<std::pair<size_t, py::array_t<T, py::array::c_style>>> taken;
      for (size_t i = 0; i < specs.size(); ++i) {
        if (!wanted(specs[i])) continue;
        if (taken.size() >= arrays.size()) break;
        taken.emplace_back(i, as_parameter<T>(arrays[taken.size()], specs[i]));
      }
      const auto expected = static_cast<size_t>(std::count_if(specs.begin(), specs.end(), wanted));
      if (expected != arrays.size()) {
        throw_invalid("Trainer", "expected " + std::to_string(expected) + " arrays, got " +
                                     std::to_string(arrays.size()));
      }
      for (const auto& [index, array] : taken) take(trainer.network(), index, array.data());
    });
  }

  py::list parameters() {
    return arrays(any, [](auto& network, size_t i, auto* to) { network.get_parameter(i, to); });
  }
  void set_parameters(const py::list& values) {
    take(values, any, [](auto& network, size_t i, const auto* from) { network.set_parameter(i, from); });
  }
  py::list gradients() {
    return arrays(trainable, [](auto& network, size_t i, auto* to) { network.get_gradient(i, to); });
  }
  py::list slots() {
    py::list all;
    for (size_t slot = 0; slot < slot_names_.size(); ++slot) {
      all.append(
          arrays(trainable, [slot](auto& network, size_t i, auto* to) { network.get_slot(slot, i, to); }));
    }
    return all;
  }
  void set_slots(const std::vector<py::list>& all) {
    if (all.size() != slot_names_.size()) {
      throw_invalid("Trainer", "expected " + std::to_string(slot_names_.size()) + " slots, got " +
                                   std::to_string(all.size()));
    }
    // All are looked at before any is taken.
    for (const py::list& slot : all) take(slot, trainable, [](auto&, size_t, const auto*) {});
    for (size_t slot = 0; slot < all.size(); ++slot) {
      take(all[slot], trainable,
           [slot](auto& network, size_t i, const auto* from) { network.set_slot(slot, i, from); });
    }
  }

  std::shared_ptr<CheckedGraph> graph() {
    return visit([](auto& trainer) {
      return std::make_shared<CheckedGraph>(without_dropout(trainer.network().current_graph()));
    });
  }
  double penalty() {
    return visit([](auto& trainer) { return trainer.penalty(); });
  }
  uint64_t iterations() {
    return visit([](auto& trainer) { return trainer.optimizer().iterations(); });
  }
  void set_iterations(uint64_t n) {
    visit([n](auto& trainer) { trainer.optimizer().set_iterations(n); });
  }
  const char* dtype() const { return trainer_.index() == 0 ? "float32" : "float64"; }
  const std::vector<std::string>& slot_names() const { return slot_names_; }

 private:
  static bool any(const ParameterSpec&) { return true; }
  static bool trainable(const ParameterSpec& spec) { return spec.trainable; }

  template <class T>
  static py::array_t<T, py::array::c_style> as_parameter(py::handle value, const ParameterSpec& spec) {
    const auto array = value.cast<py::array>();
    const bool fits = static_cast<size_t>(array.ndim()) == spec.shape.size() &&
                      std::equal(spec.shape.begin(), spec.shape.end(), array.shape());
    if (!fits || !array.dtype().equal(py::dtype::of<T>())) {
      throw_invalid("Trainer", "expected '" + spec.name + "' of " + dtype_name(dtype_of<T>) + " " +
                                   shape_text(spec.shape) + ", got " +
                                   py::str(array.dtype()).cast<std::string>() + " " +
                                   py::str(array.attr("shape")).cast<std::string>());
    }
    return py::array_t<T, py::array::c_style>::ensure(array);
  }

  std::atomic_flag busy_;
  std::vector<std::string> slot_names_;
  std::variant<std::unique_ptr<Trainer<float>>, std::unique_ptr<Trainer<double>>> trainer_;
};

}  // namespace

void register_trainer(py::module_& m) {
  py::class_<FinishedResult>(m, "TrainResult")
      .def_property_readonly("loss", &FinishedResult::loss)
      .def_property_readonly("metrics", &FinishedResult::metric_values)
      .def_property_readonly("steps", [](const FinishedResult& r) { return r.sums.steps; })
      .def_property_readonly("bad_step", &FinishedResult::bad_step)
      .def_property_readonly("bad_loss", [](const FinishedResult& r) { return r.sums.bad_loss; })
      .def("merge", &FinishedResult::merge);
  const auto raw = py::arg().noconvert();
  const auto raw_or_none = py::arg().noconvert().none(true);
  py::class_<AnyTrainer>(m, "Trainer")
      .def(py::init<const CheckedGraph&, const std::vector<ParameterTuple>&, const py::dict&,
                    const std::vector<std::string>&, const py::dict&, uint64_t, bool>())
      .def_property_readonly("dtype", &AnyTrainer::dtype)
      .def_property("iterations", &AnyTrainer::iterations, &AnyTrainer::set_iterations)
      .def_property_readonly("slot_names", &AnyTrainer::slot_names)
      .def("run", &AnyTrainer::run, raw, raw, raw_or_none, raw_or_none, py::arg(), raw)
      .def("gradient", &AnyTrainer::gradient, raw, raw, raw_or_none)
      .def("evaluate", &AnyTrainer::evaluate, raw, raw, raw_or_none)
      .def("penalty", &AnyTrainer::penalty)
      .def("get_parameters", &AnyTrainer::parameters)
      .def("set_parameters", &AnyTrainer::set_parameters)
      .def("gradients", &AnyTrainer::gradients)
      .def("get_slots", &AnyTrainer::slots)
      .def("set_slots", &AnyTrainer::set_slots)
      .def("graph", &AnyTrainer::graph);
}

}  // namespace maas::bindings
