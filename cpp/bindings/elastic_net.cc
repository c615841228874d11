#include <pybind11/stl.h>

#include <memory>
#include <optional>
#include <utility>
#include <variant>

#include "array.h"
#include "csr.h"
#include "engine_call.h"
#include "maas/linear/elastic_net_folds.h"
#include "module.h"

namespace py = pybind11;

namespace maas::bindings {
namespace {

using Weights = std::optional<Array<double>>;
// Which fold tests each row (or none) and the number of folds, then how often each row trains and tests in
// folds that overlap.
using Plan =
    std::tuple<std::optional<Array<int32_t>>, size_t, std::vector<std::pair<Array<double>, Array<double>>>>;

template <class T>
std::vector<T> to_vector(const Array<T>& a, size_t rows) {
  const VectorView<T> view = vector_view(a);
  if (view.size != rows) throw_invalid("elastic net", "expected a value for every row of a fold");
  std::vector<T> out(view.size);
  for (size_t i = 0; i < view.size; ++i) out[i] = view[i];
  return out;
}

// The problems and the arrays they look into.
class ElasticNetData {
 public:
  template <class T>
  ElasticNetData(const Array<T>& x, const Array<T>& y, const Weights& weights, bool intercept,
                 const Plan& plan)
      : keep_(py::make_tuple(x, y, weights)) {
    RegressionRows<T> rows{matrix_view(x), matrix_view(y), weight_view(weights)};
    const FoldPlan folds = fold_plan(plan, rows.x.rows);
    require_rows(rows.y.rows, rows.weights, rows.x.rows);
    const EngineCall call;
    folds_ = elastic_net_folds(rows, intercept, folds);
  }
  template <class T>
  ElasticNetData(const Array<T>& values, const Array<int32_t>& columns, const Array<int64_t>& starts,
                 size_t column_count, const Array<T>& y, const Weights& weights, bool intercept,
                 const Plan& plan)
      : keep_(py::make_tuple(y, weights)) {
    const CsrArgument<T> x(values, columns, starts, column_count);
    const MatrixView<T> targets = matrix_view(y);
    const VectorView<double> w = weight_view(weights);
    const FoldPlan folds = fold_plan(plan, x.view().rows);
    require_rows(targets.rows, w, x.view().rows);
    const EngineCall call;
    folds_ = elastic_net_folds(x.view(), targets, w, intercept, folds);
  }

  const ElasticNetFolds& folds() const { return *folds_; }

 private:
  static VectorView<double> weight_view(const Weights& weights) {
    return weights ? vector_view(*weights) : VectorView<double>{};
  }
  static void require_rows(size_t y, VectorView<double> weights, size_t rows) {
    if (y != rows || (weights && weights.size != rows)) {
      throw_invalid("elastic net", "expected arrays of one length");
    }
  }
  static FoldPlan fold_plan(const Plan& plan, size_t rows) {
    const auto& [fold_of_row, folds, splits] = plan;
    FoldPlan out;
    out.folds = folds;
    if (fold_of_row) out.fold_of_row = to_vector(*fold_of_row, rows);
    for (const auto& [train, test] : splits) {
      out.splits.push_back({to_vector(train, rows), to_vector(test, rows)});
    }
    if (!out.partition() && out.splits.size() != folds) {
      throw_invalid("elastic net", "expected a split for every fold");
    }
    return out;
  }

  py::object keep_;
  std::unique_ptr<ElasticNetFolds> folds_;
};

// (positive, tol, max_iter, random, seed)
using Options = std::tuple<bool, double, size_t, bool, uint64_t>;

ElasticNetOptions make_options(const Options& given, double l1_ratio) {
  ElasticNetOptions options;
  std::tie(options.positive, options.tolerance, options.max_iterations, options.random, options.seed) = given;
  options.l1_ratio = l1_ratio;
  return options;
}

template <class Values>
py::array_t<double> copy_out(const Values& values, std::vector<py::ssize_t> shape) {
  py::array_t<double> out(std::move(shape));
  std::copy(values.begin(), values.end(), out.mutable_data());
  return out;
}

// A list, one a target: (coef (alphas, d), intercept, gap, iterations, converged), one an alpha each.
py::list solutions(const std::vector<ElasticNetSolution>& all) {
  py::list out;
  for (const ElasticNetSolution& s : all) {
    const auto count = static_cast<py::ssize_t>(s.gap.size());
    const py::ssize_t d = count == 0 ? 0 : static_cast<py::ssize_t>(s.coef.size()) / count;
    out.append(py::make_tuple(copy_out(s.coef, {count, d}), copy_out(s.intercept, {count}),
                              copy_out(s.gap, {count}), s.iterations, s.converged));
  }
  return out;
}

double largest_product(const ElasticNetData& data, size_t target, bool positive) {
  const EngineCall call;
  return data.folds().whole().largest_product(target, positive);
}

// start: targets * d values, or none
py::list solve(const ElasticNetData& data, const std::vector<double>& alphas, double l1_ratio,
               const Options& options, const std::vector<double>& start) {
  const ElasticNetProblem& problem = data.folds().whole();
  if (!start.empty() && start.size() != problem.targets() * problem.features()) {
    throw_invalid("elastic net", "expected a start of as many values as there are coefficients");
  }
  std::vector<ElasticNetSolution> out;
  {
    const EngineCall call;
    out = solve_targets(problem, make_options(options, l1_ratio), alphas, start);
  }
  return solutions(out);
}

// Fold by fold, target by target.
py::list solve_training(const ElasticNetData& data, const std::vector<double>& alphas, double l1_ratio,
                        const Options& options) {
  std::vector<ElasticNetSolution> out;
  {
    const EngineCall call;
    out = solve_folds(data.folds(), make_options(options, l1_ratio), alphas);
  }
  return solutions(out);
}

// One (mean squares, gaps, converged), one an alpha each, for every l1_ratio and in it every fold.
py::list errors(const ElasticNetData& data, const std::vector<std::vector<double>>& alphas,
                const std::vector<double>& l1_ratio, const Options& options) {
  std::vector<PathErrors> all;
  {
    const EngineCall call;
    all = fold_errors(data.folds(), make_options(options, 1), l1_ratio, alphas);
  }
  py::list out;
  for (const PathErrors& e : all) {
    const auto count = static_cast<py::ssize_t>(e.gap.size());
    out.append(py::make_tuple(copy_out(e.mean_square, {count}), copy_out(e.gap, {count}), e.converged));
  }
  return out;
}

template <class T>
void define_constructors(py::class_<ElasticNetData>& type) {
  type.def(py::init<const Array<T>&, const Array<T>&, const Weights&, bool, const Plan&>());
  type.def(py::init<const Array<T>&, const Array<int32_t>&, const Array<int64_t>&, size_t, const Array<T>&,
                    const Weights&, bool, const Plan&>());
}

}  // namespace

void register_elastic_net(py::module_& m) {
  py::class_<ElasticNetData> type(m, "ElasticNetData");
  define_constructors<float>(type);
  define_constructors<double>(type);
  type.def("largest_product", &largest_product);
  type.def("solve", &solve);
  type.def("solve_training", &solve_training);
  type.def("errors", &errors);
}

}  // namespace maas::bindings
