// Ranking metrics and curves: areas of vectors, columns, rows and pairs of classes, and the points of curves.
#include <pybind11/stl.h>

#include <memory>
#include <optional>

#include "engine_call.h"
#include "maas/metrics/ranking_columns.h"
#include "maas/metrics/thresholds.h"
#include "module.h"
#include "number_array.h"

namespace py = pybind11;

namespace maas::bindings {
namespace {

using OptionalArray = std::optional<py::array>;

// (score, has positives, has negatives); the score is NaN without a class it needs. `kind` is 0 ROC AUC, 1
// average precision.
py::tuple score_vector(int kind, const py::array& labels, int64_t positive, const py::array& scores,
                       const OptionalArray& weight, double max_fpr) {
  const ArrayView y = number_view(labels), s = number_view(scores), w = number_view(weight);
  require_rows(s, y.size);
  require_rows(w, y.size);
  RankingResult result;
  {
    const EngineCall call;
    result = rank_vector(static_cast<RankingMetric>(kind), y, positive, s, w, max_fpr);
  }
  return py::make_tuple(result.score, result.positives, result.negatives);
}

// Arrays (score, has positives, has negatives).
py::tuple as_arrays(const std::vector<RankingResult>& results) {
  const auto n = static_cast<py::ssize_t>(results.size());
  py::array_t<double> scores(n);
  py::array_t<bool> positives(n), negatives(n);
  double* score = scores.mutable_data();
  bool *positive = positives.mutable_data(), *negative = negatives.mutable_data();
  for (const RankingResult& result : results) {
    *score++ = result.score;
    *positive++ = result.positives;
    *negative++ = result.negatives;
  }
  return py::make_tuple(scores, positives, negatives);
}

// Labels of shape (n, k) by columns, or by rows; or of shape (n,) with classes 0 to k - 1.
py::tuple score_columns(int kind, const py::array& labels, const py::array& scores,
                        const OptionalArray& weight, double max_fpr) {
  const ArrayMatrix y = number_matrix(labels), s = number_matrix(scores);
  const ArrayView w = number_view(weight);
  require_rows(y.first_column, s.rows());
  require_rows(w, s.rows());
  if (y.columns != s.columns && labels.ndim() == 2) throw_invalid("array", "expected matrices of one shape");
  const auto metric = static_cast<RankingMetric>(kind);
  std::vector<RankingResult> results;
  {
    const EngineCall call;
    results = labels.ndim() == 2 ? rank_columns(metric, y, s, w, max_fpr)
                                 : rank_classes(metric, y.first_column, s, w);
  }
  return as_arrays(results);
}

py::tuple score_rows(int kind, const py::array& labels, const py::array& scores, double max_fpr) {
  const ArrayMatrix y = number_matrix(labels), s = number_matrix(scores);
  require_rows(y.first_column, s.rows());
  if (y.columns != s.columns) throw_invalid("array", "expected matrices of one shape");
  std::vector<RankingResult> results;
  {
    const EngineCall call;
    results = rank_rows(static_cast<RankingMetric>(kind), y, s, max_fpr);
  }
  return as_arrays(results);
}

py::array_t<double> auc_pairs(const py::array& labels, const py::array& scores) {
  const ArrayView y = number_view(labels);
  const ArrayMatrix s = number_matrix(scores);
  require_rows(y, s.rows());
  std::vector<double> areas;
  {
    const EngineCall call;
    areas = roc_auc_pairs(y, s);
  }
  const auto k = static_cast<py::ssize_t>(s.columns);
  return py::array_t<double>({k, k}, areas.data());
}

// numpy's view of [begin, size) of a buffer, which it keeps alive.
py::array_t<double> hand_over(AlignedBuffer<double>&& buffer, size_t begin, size_t size) {
  auto owned = std::make_unique<AlignedBuffer<double>>(std::move(buffer));
  const double* data = owned->data() + begin;
  const py::capsule owner(owned.release(), [](void* p) { delete static_cast<AlignedBuffer<double>*>(p); });
  return py::array_t<double>(static_cast<py::ssize_t>(size - begin), data, owner);
}

// (true positives, false positives, scores), highest score first. `drop` is 0 for all points, 1 for ROC's
// dropping, 2 for that of precision and recall; `first` is 0 to begin with the point above all scores, for
// the dropping and for what is returned.
py::tuple points(const py::array& labels, int64_t positive, const py::array& scores,
                 const OptionalArray& weight, int drop, size_t drop_first, size_t first) {
  const ArrayView y = number_view(labels), s = number_view(scores), w = number_view(weight);
  require_rows(s, y.size);
  require_rows(w, y.size);
  ThresholdSums sums;
  {
    const EngineCall call;
    sums = threshold_sums(y, positive, s, w);
    if (drop != 0) drop_points(sums, drop == 1 ? Drop::kCollinear : Drop::kSameTruePositives, drop_first);
  }
  return py::make_tuple(hand_over(std::move(sums.true_positives), first, sums.size),
                        hand_over(std::move(sums.false_positives), first, sums.size),
                        hand_over(std::move(sums.scores), first, sums.size));
}

// (area, x rises somewhere, x falls somewhere).
py::tuple trapezoids(const py::array& x, const py::array& y) {
  const ArrayView u = number_view(x), v = number_view(y);
  require_rows(v, u.size);
  Trapezoids result;
  {
    const EngineCall call;
    result = trapezoid_area(u, v);
  }
  return py::make_tuple(result.area, result.rises, result.falls);
}

}  // namespace

void register_ranking(py::module_& m) {
  m.def("ranking_score", &score_vector);
  m.def("ranking_columns", &score_columns);
  m.def("ranking_rows", &score_rows);
  m.def("roc_auc_pairs", &auc_pairs);
  m.def("curve_points", &points);
  m.def("trapezoid_area", &trapezoids);
}

}  // namespace maas::bindings
