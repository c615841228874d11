// Mergeable metric states. Python holds the configuration (a JSON text, opaque here) and the final formulas.
#include <pybind11/stl.h>

#include <cmath>

#include "engine_call.h"
#include "maas/metrics/accuracy.h"
#include "maas/metrics/binned_auc.h"
#include "maas/metrics/confusion_state.h"
#include "maas/metrics/log_loss.h"
#include "maas/metrics/ranking_state.h"
#include "maas/metrics/regression_state.h"
#include "metric_state.h"
#include "module.h"
#include "number_array.h"

namespace py = pybind11;

namespace maas::bindings {
namespace {

using OptionalArray = std::optional<py::array>;

template <class State>
void update_pair(State& state, const py::array& y, const py::array& predicted, const OptionalArray& weight) {
  const ArrayView t = number_view(y), p = number_view(predicted), w = number_view(weight);
  require_rows(p, t.size);
  require_rows(w, t.size);
  const EngineCall call;
  state.update(t, p, w);
}

void update_ranking(RankingState& state, const py::array& labels, int64_t positive, const py::array& scores,
                    const OptionalArray& weight) {
  const ArrayView y = number_view(labels), s = number_view(scores), w = number_view(weight);
  require_rows(s, y.size);
  require_rows(w, y.size);
  const EngineCall call;
  state.update(y, positive, s, w);
}

// The columns of a matrix of shape (n, k).
std::vector<ArrayView> columns(const py::array& matrix) {
  if (matrix.ndim() != 2) throw_invalid("array", "expected 2 dimensions");
  const NumberType type = number_type(matrix.dtype());
  std::vector<ArrayView> views;
  for (py::ssize_t k = 0; k < matrix.shape(1); ++k) {
    const auto* first = static_cast<const std::byte*>(matrix.data()) + k * matrix.strides(1);
    views.push_back({first, static_cast<size_t>(matrix.shape(0)), matrix.strides(0), type});
  }
  return views;
}

void update_outputs(RegressionState& state, const py::array& y, const py::array& predicted,
                    const OptionalArray& weight) {
  const std::vector<ArrayView> t = columns(y), p = columns(predicted);
  const ArrayView w = number_view(weight);
  const auto rows = static_cast<size_t>(y.shape(0));
  for (const ArrayView& view : p) require_rows(view, rows);
  require_rows(w, rows);
  const EngineCall call;
  state.update(t, p, w);
}

// One double for each output.
template <double (RegressionState::*figure)(size_t) const>
py::array_t<double> figures(const RegressionState& state) {
  py::array_t<double> out(static_cast<py::ssize_t>(state.outputs()));
  double* values = out.mutable_data();
  const EngineCall call;
  for (size_t k = 0; k < state.outputs(); ++k) values[k] = (state.*figure)(k);
  return out;
}

void register_regression_state(py::module_& m) {
  state_class<RegressionState>(m, "RegressionState")
      .def(py::init([](std::string config, int sums, int term, double parameter) {
        return RegressionState(std::move(config), static_cast<StateSums>(sums), static_cast<ErrorTerm>(term),
                               parameter);
      }))
      .def("update", &update_outputs)
      .def("same_kind", &RegressionState::same_kind)
      .def("rows", &RegressionState::rows, py::call_guard<EngineCall>())
      .def("weight", &RegressionState::weight, py::call_guard<EngineCall>())
      .def("errors", &figures<&RegressionState::error>)
      .def("targets", &figures<&RegressionState::target>)
      .def("constants", &figures<&RegressionState::constant>)
      .def("target_spreads", &figures<&RegressionState::target_spread>)
      .def("distance_spreads", &figures<&RegressionState::distance_spread>);
}

void register_binned_auc(py::module_& m) {
  state_class<BinnedAucState>(m, "BinnedAucState")
      .def(py::init([](std::string config, bool linear, uint32_t bins, double low, double high) {
        return BinnedAucState(std::move(config), {linear, bins, low, high});
      }))
      .def("update",
           [](BinnedAucState& state, const py::array& labels, int64_t positive, const py::array& scores) {
             const ArrayView y = number_view(labels), s = number_view(scores);
             require_rows(s, y.size);
             const EngineCall call;
             state.update(y, positive, s);
           })
      .def("same_bins", &BinnedAucState::same_bins)
      .def("rows", &BinnedAucState::rows)
      // (area, bound of its error, has positives, has negatives)
      .def("compute", [](const BinnedAucState& state) {
        BinnedAuc auc;
        {
          const EngineCall call;
          auc = state.compute();
        }
        return py::make_tuple(auc.area, auc.error_bound, auc.positives, auc.negatives);
      });
}

// (in range, rows sum to one, labels known); nothing was added unless the first and last hold.
py::tuple update_log_loss(LogLossState& state, const py::array& labels, const std::vector<int64_t>& classes,
                          const py::array& probabilities, const OptionalArray& weight) {
  const ArrayView y = number_view(labels), w = number_view(weight);
  const ProbabilityView p = number_matrix(probabilities);
  require_rows(p.first_column, y.size);
  require_rows(w, y.size);
  ProbabilityFlags flags;
  {
    const EngineCall call;
    flags = state.update(y, classes, p, w);
  }
  return py::make_tuple(flags.in_range, flags.sums_to_one, flags.known_labels);
}

// (labels, matrix): int64 counts, or float64 once a weight was given.
py::tuple matrix(const ConfusionState& state) {
  const std::vector<int64_t> labels = present_labels(state.rows());
  const auto k = static_cast<py::ssize_t>(labels.size());
  py::array_t<int64_t> names(k, labels.data());
  if (!state.weighted()) {
    py::array_t<int64_t> counts({k, k});
    int64_t* out = counts.mutable_data();
    for (const int64_t row : labels) {
      for (const int64_t col : labels) *out++ = static_cast<int64_t>(state.rows().at(row, col));
    }
    return py::make_tuple(names, counts);
  }
  py::array_t<double> weights({k, k});
  double* out = weights.mutable_data();
  for (const int64_t row : labels) {
    for (const int64_t col : labels) *out++ = state.weight(row, col);
  }
  return py::make_tuple(names, weights);
}

}  // namespace

void register_metric_states(py::module_& m) {
  state_class<ConfusionState>(m, "ConfusionState")
      .def("update", &update_pair<ConfusionState>)
      .def("matrix", &matrix);
  state_class<AccuracyState>(m, "AccuracyState")
      .def("update", &update_pair<AccuracyState>)
      .def("equal", &AccuracyState::equal, py::call_guard<EngineCall>())
      .def("total", &AccuracyState::total, py::call_guard<EngineCall>());
  register_regression_state(m);
  register_binned_auc(m);
  state_class<LogLossState>(m, "LogLossState")
      .def("update", &update_log_loss)
      .def("weight", &LogLossState::weight, py::call_guard<EngineCall>())
      .def("loss", &LogLossState::loss, py::call_guard<EngineCall>());
  state_class<RankingState>(m, "RankingState")
      .def("update", &update_ranking)
      .def("has_positives", &RankingState::has_positives, py::call_guard<EngineCall>())
      .def("has_negatives", &RankingState::has_negatives, py::call_guard<EngineCall>())
      .def("score", [](const RankingState& state, int kind, double max_fpr) {
        return state.score(static_cast<RankingMetric>(kind), max_fpr);
      });
}

}  // namespace maas::bindings
