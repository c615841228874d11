// Losses of probabilities, and metrics of one score a class.
#include <pybind11/stl.h>

#include "engine_call.h"
#include "maas/metrics/probability_loss.h"
#include "maas/metrics/row_scores.h"
#include "module.h"
#include "number_array.h"

namespace py = pybind11;

namespace maas::bindings {
namespace {

using OptionalArray = std::optional<py::array>;

// (total weight, loss, in range, rows sum to one, labels known); `kind` is 0 log loss, 1 squared error.
py::tuple probability_loss(int kind, const py::array& labels, const std::vector<int64_t>& classes,
                           const py::array& probabilities, const OptionalArray& weight) {
  const ArrayView y = number_view(labels), w = number_view(weight);
  const ProbabilityView p = number_matrix(probabilities);
  require_rows(p.first_column, y.size);
  require_rows(w, y.size);
  ProbabilityLossSums sums;
  {
    const EngineCall call;
    sums = probability_loss_sums(static_cast<ProbabilityLoss>(kind), y, classes, p, w);
  }
  const ProbabilityFlags& flags = sums.flags;
  return py::make_tuple(sums.weight, sums.loss, flags.in_range, flags.sums_to_one, flags.known_labels);
}

// (total weight, sum, finite); k is 0 for the hinge loss, else how many classes may be guessed.
py::tuple row_scores(const py::array& labels, const py::array& scores, size_t k,
                     const OptionalArray& weight) {
  const ArrayView y = number_view(labels), w = number_view(weight);
  const ArrayMatrix s = number_matrix(scores);
  require_rows(s.first_column, y.size);
  require_rows(w, y.size);
  RowScoreSums sums;
  {
    const EngineCall call;
    sums = k == 0 ? hinge_loss_sums(y, s, w) : top_k_sums(y, s, k, w);
  }
  return py::make_tuple(sums.weight, sums.value, sums.finite);
}

}  // namespace

void register_class_scores(py::module_& m) {
  m.def("probability_loss_sums", &probability_loss);
  m.def("row_score_sums", &row_scores);
}

}  // namespace maas::bindings
