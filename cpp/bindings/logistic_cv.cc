// Cross-validated logistic regression: the stacked fit and the scores of rows by models that left them out.
#include <pybind11/stl.h>

#include <optional>
#include <string>
#include <vector>

#include "array.h"
#include "engine_call.h"
#include "maas/linear/out_of_fold.h"
#include "maas/linear/stacked_fit.h"
#include "module.h"

namespace py = pybind11;

namespace maas::bindings {

namespace {

using FoldIds = py::array_t<int32_t, py::array::c_style>;

template <class T>
WeightedRows<T> weighted_rows(const Array<T>& x, const Array<T>& y, const std::optional<Array<T>>& weight,
                              const FoldIds& folds) {
  WeightedRows<T> rows{matrix_view(x), vector_view(y), {}};
  if (weight) rows.weight = vector_view(*weight);
  if (rows.y.size != rows.x.rows || (weight && rows.weight.size != rows.x.rows) || folds.ndim() != 1 ||
      static_cast<size_t>(folds.size()) != rows.x.rows) {
    throw_invalid("logistic_cv", "expected as many targets, weights and fold numbers as rows");
  }
  return rows;
}

py::list names_of(const std::vector<SolveStatus>& statuses) {
  py::list names;
  for (const SolveStatus status : statuses) {
    names.append(status == SolveStatus::kConverged       ? "converged"
                 : status == SolveStatus::kMaxIterations ? "max_iter"
                                                         : "diverged");
  }
  return names;
}

template <class T>
py::tuple fit(const Array<T>& x, const Array<T>& y, const std::optional<Array<T>>& weight,
              const FoldIds& fold_of_row, size_t folds, size_t outputs, bool intercept,
              const std::vector<double>& l2, double tolerance, size_t max_iterations) {
  const WeightedRows<T> rows = weighted_rows(x, y, weight, fold_of_row);
  StackedOptions options;
  options.shape = {outputs == 1 ? Loss::kLogistic : Loss::kSoftmax, outputs, intercept};
  options.l2 = l2;
  options.tolerance = tolerance;
  options.max_iterations = max_iterations;
  const int32_t* const ids = fold_of_row.data();
  StackedResult result;
  {
    const EngineCall call;
    result = fit_stacked(rows, ids, folds, options);
  }
  const auto slots = static_cast<py::ssize_t>(folds + 1), penalties = static_cast<py::ssize_t>(l2.size());
  const auto k = static_cast<py::ssize_t>(outputs);
  const std::vector<int32_t> iterations(result.iterations.begin(), result.iterations.end());
  return py::make_tuple(py::array_t<double>({slots, penalties, k, x.shape(1)}, result.coef.data()),
                        py::array_t<double>({slots, penalties, k}, result.intercept.data()),
                        py::array_t<int32_t>({slots, penalties}, iterations.data()), names_of(result.status));
}

// coef: folds × penalties × outputs × features, intercept: folds × penalties × outputs.
template <class T>
FoldModels<T> fold_models(const py::array_t<T, py::array::c_style>& coef,
                          const py::array_t<T, py::array::c_style>& intercept, const Array<T>& x) {
  if (coef.ndim() != 4 || coef.shape(3) != x.shape(1) || intercept.ndim() != 3 ||
      intercept.shape(0) != coef.shape(0) || intercept.shape(1) != coef.shape(1) ||
      intercept.shape(2) != coef.shape(2)) {
    throw_invalid("logistic_cv", "expected coefficients for folds, penalties, outputs and the features of X");
  }
  return {coef.data(), intercept.data(), static_cast<size_t>(coef.shape(0)),
          static_cast<size_t>(coef.shape(1)), static_cast<size_t>(coef.shape(2))};
}

template <class T>
py::array_t<T> decisions(const Array<T>& x, const Array<T>& y, const FoldIds& fold_of_row,
                         const py::array_t<T, py::array::c_style>& coef,
                         const py::array_t<T, py::array::c_style>& intercept) {
  const WeightedRows<T> rows = weighted_rows<T>(x, y, std::nullopt, fold_of_row);
  const FoldModels<T> models = fold_models<T>(coef, intercept, x);
  py::array_t<T> out({coef.shape(1), x.shape(0), coef.shape(2)});
  T* const data = out.mutable_data();
  const int32_t* const ids = fold_of_row.data();
  {
    const EngineCall call;
    out_of_fold_decisions(rows, ids, models, data);
  }
  return out;
}

template <class T>
py::tuple hits(const Array<T>& x, const Array<T>& y, const std::optional<Array<T>>& weight,
               const FoldIds& fold_of_row, const py::array_t<T, py::array::c_style>& coef,
               const py::array_t<T, py::array::c_style>& intercept) {
  const WeightedRows<T> rows = weighted_rows<T>(x, y, weight, fold_of_row);
  const FoldModels<T> models = fold_models<T>(coef, intercept, x);
  const int32_t* const ids = fold_of_row.data();
  std::vector<double> sums;
  {
    const EngineCall call;
    sums = out_of_fold_hits(rows, ids, models);
  }
  return py::make_tuple(py::array_t<double>({coef.shape(0), coef.shape(1)}, sums.data()),
                        py::array_t<double>(coef.shape(0), sums.data() + models.folds * models.penalties));
}

template <class T>
void register_for(py::module_& m) {
  m.def("logistic_cv_fit", &fit<T>, py::arg().noconvert(), py::arg().noconvert(),
        py::arg().noconvert().none(true), py::arg().noconvert(), py::arg(), py::arg(), py::arg(), py::arg(),
        py::arg(), py::arg());
  m.def("logistic_cv_decisions", &decisions<T>, py::arg().noconvert(), py::arg().noconvert(),
        py::arg().noconvert(), py::arg().noconvert(), py::arg().noconvert());
  m.def("logistic_cv_hits", &hits<T>, py::arg().noconvert(), py::arg().noconvert(),
        py::arg().noconvert().none(true), py::arg().noconvert(), py::arg().noconvert(),
        py::arg().noconvert());
}

}  // namespace

void register_logistic_cv(py::module_& m) {
  register_for<double>(m);
  register_for<float>(m);
}

}  // namespace maas::bindings
