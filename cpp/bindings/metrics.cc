// One-shot metrics: arrays in, sums or scores out. What to divide by what is decided in Python.
#include <pybind11/stl.h>

#include "engine_call.h"
#include "maas/metrics/accuracy.h"
#include "maas/metrics/confusion.h"
#include "maas/metrics/quantile.h"
#include "maas/metrics/regression.h"
#include "module.h"
#include "number_array.h"

namespace py = pybind11;

namespace maas::bindings {
namespace {

using OptionalArray = std::optional<py::array>;

std::optional<uint64_t> equal_labels(const py::array& truth, const py::array& predicted) {
  const ArrayView t = number_view(truth), p = number_view(predicted);
  require_rows(p, t.size);
  const EngineCall call;
  return count_equal_labels(t, p);
}

// (weight of equal rows, total weight); None when a label is no integer.
std::optional<std::pair<double, double>> equal_weight(const py::array& truth, const py::array& predicted,
                                                      const py::array& weight) {
  const ArrayView t = number_view(truth), p = number_view(predicted), w = number_view(weight);
  require_rows(p, t.size);
  require_rows(w, t.size);
  const EngineCall call;
  const std::optional<EqualWeight> sums = weigh_equal_labels(t, p, w);
  if (!sums) return std::nullopt;
  return std::pair(sums->equal, sums->total);
}

// The cells of the present labels, side by side.
template <class Out, class Cell>
py::array_t<Out> dense(const ConfusionTable<Cell>& table, const std::vector<int64_t>& labels) {
  const auto k = static_cast<py::ssize_t>(labels.size());
  py::array_t<Out> matrix({k, k});
  Out* out = matrix.mutable_data();
  for (const int64_t row : labels) {
    for (const int64_t col : labels) *out++ = static_cast<Out>(table.at(row, col));
  }
  return matrix;
}

// The elements of the present labels.
py::array_t<double> chosen(const std::vector<double>& sums, int64_t origin,
                           const std::vector<int64_t>& labels) {
  py::array_t<double> out(static_cast<py::ssize_t>(labels.size()));
  double* to = out.mutable_data();
  for (const int64_t label : labels) *to++ = sums[static_cast<size_t>(label - origin)];
  return out;
}

// (labels, matrix, None or weights of each predicted and of each true label) with the labels present,
// ascending; None when labels are no integers or span too much.
py::object pair_counts(const py::array& truth, const py::array& predicted, const OptionalArray& weight) {
  const ArrayView t = number_view(truth), p = number_view(predicted), w = number_view(weight);
  require_rows(p, t.size);
  require_rows(w, t.size);
  std::optional<PairCounts> counts;
  PairWeights weights;
  {
    const EngineCall call;
    counts = count_pairs(t, p);
    if (counts && w) weights = weigh_pairs(t, p, w, *counts);
  }
  if (!counts) return py::none();
  const std::vector<int64_t> labels = present_labels(*counts);
  py::array_t<int64_t> names(static_cast<py::ssize_t>(labels.size()), labels.data());
  if (!w) return py::make_tuple(names, dense<int64_t>(*counts, labels), py::none());
  const int64_t origin = counts->origin;
  return py::make_tuple(
      names, dense<double>(weights.pairs, labels),
      py::make_tuple(chosen(weights.predicted, origin, labels), chosen(weights.truth, origin, labels)));
}

// (total weight, error sum, spread of y, spread of y - predicted, mean of y, least y, least predicted, all
// finite); `kind` is a RegressionMetric, whose comments say which of them it fills.
py::tuple error_sums(int kind, double parameter, const py::array& y, const py::array& predicted,
                     const OptionalArray& weight) {
  const ArrayView t = number_view(y), p = number_view(predicted), w = number_view(weight);
  require_rows(p, t.size);
  require_rows(w, t.size);
  RegressionSums sums;
  {
    const EngineCall call;
    sums = regression_sums(static_cast<RegressionMetric>(kind), parameter, t, p, w);
  }
  return py::make_tuple(sums.weight, sums.error, sums.target.spread, sums.distance.spread, sums.target.mean,
                        sums.range.least_y, sums.range.least_predicted, sums.range.finite);
}

// The value at a share of the weight of y, or of |y - predicted|: kernels and ties as in averaged_quantile.
double error_quantile(double share, const py::array& y, const OptionalArray& predicted,
                      const OptionalArray& weight) {
  const ArrayView t = number_view(y), p = number_view(predicted), w = number_view(weight);
  require_rows(p, t.size);
  require_rows(w, t.size);
  const EngineCall call;
  return averaged_quantile(share, t, p, w);
}

}  // namespace

void register_metrics(py::module_& m) {
  m.def("equal_labels", &equal_labels);
  m.def("equal_weight", &equal_weight);
  m.def("pair_counts", &pair_counts);
  m.def("error_sums", &error_sums);
  m.def("error_quantile", &error_quantile);
}

}  // namespace maas::bindings
