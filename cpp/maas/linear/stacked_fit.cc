#include "maas/linear/stacked_fit.h"

#include <algorithm>
#include <memory>
#include <string>

#include "maas/base/error.h"
#include "maas/linear/column_shift.h"
#include "maas/linear/row_sample.h"
#include "maas/linear/stacked_solver.h"

namespace maas {
namespace {

// Weight vectors stacked at once, so that many folds do not split the rows into slivers.
constexpr size_t kStackedOutputs = 1024;
// Rows from which a sample is solved first, and the share of them that it has.
constexpr size_t kSampledFrom = 16384;
constexpr size_t kSampleStride = 15;  // odd: rows that alternate in some pattern of 2, 4, ... are all met
// Passes of all models that second derivatives may cost.
constexpr size_t kCurvaturePasses = 3;
constexpr size_t kCurvaturePoints = 4;  // that are too far apart to share one, about

template <class T>
class StackedFit {
 public:
  StackedFit(const WeightedRows<T>& rows, const int32_t* fold_of_row, size_t folds,
             const StackedOptions& options)
      : rows_(rows), fold_of_row_(fold_of_row), folds_(folds), options_(options) {
    if (options.shape.intercept) shift_ = middle_of_columns(rows.x);
    columns_ = rows.x.cols + (options.shape.intercept ? 1 : 0);
    const size_t stacked = options.l2.size() * options.shape.outputs;
    batch_ = std::clamp<size_t>(kStackedOutputs / stacked, 1, std::max<size_t>(1, folds));
    const double square = options.tolerance * options.tolerance;
    rule_ = {.decrement = square * square, .max_iterations = options.max_iterations};
    for (size_t i = 0; folds > 0 && i < rows.x.rows; ++i) {
      if (fold_of_row[i] < -1 || fold_of_row[i] >= static_cast<int64_t>(folds)) {
        throw_invalid("fit", "expected fold numbers from -1 to " + std::to_string(folds - 1) + ", got " +
                                 std::to_string(fold_of_row[i]));
      }
    }
  }

  StackedResult run() {
    std::vector<GroupGradients> starts;
    size_t begin = 0;
    do {
      const size_t count = std::min(batch_, folds_ - begin);
      run_batch(begin, count, starts);
      begin += count;
    } while (begin < folds_);
    return std::move(result_);
  }

 private:
  // Rows of one batch of folds: those of the others are always trained on.
  FoldRows<T> batch_rows(const WeightedRows<T>& rows, size_t stride, size_t begin, size_t count,
                         std::vector<int32_t>& ids) const {
    ids.clear();
    for (size_t i = 0; count > 0 && i < rows.x.rows; ++i) {
      const int64_t fold = int64_t{fold_of_row_[i * stride]} - static_cast<int64_t>(begin);
      ids.push_back(fold >= 0 && fold < static_cast<int64_t>(count) ? static_cast<int32_t>(fold) : -1);
    }
    const size_t work = columns_ * options_.shape.outputs * options_.l2.size() * std::max<size_t>(count, 1);
    return FoldRows<T>(rows, options_.shape.intercept, shift_, ids.data(), count, work);
  }

  void run_batch(size_t begin, size_t count, std::vector<GroupGradients>& starts) {
    std::vector<int32_t> ids, sampled_ids;
    const FoldRows<T> rows = batch_rows(rows_, 1, begin, count, ids);
    if (!(rows.total_weight() > 0)) throw_invalid("fit", "expected sample weights with a sum above zero");

    const size_t wanted = curvature_rows(rows_.x.rows, count);
    std::unique_ptr<RowSample<T>> sample;
    std::unique_ptr<FoldRows<T>> sampled;
    const FoldRows<T>* curvature = wanted == 0 ? nullptr : &rows;
    const size_t stride = wanted == 0 ? 1 : (rows_.x.rows / wanted - 1) / 2 * 2 + 1;
    if (stride > 1) {
      sample = std::make_unique<RowSample<T>>(rows_, stride);
      sampled = std::make_unique<FoldRows<T>>(batch_rows(sample->rows(), stride, begin, count, sampled_ids));
      curvature = sampled.get();
    }
    if (!store_) store_ = std::make_unique<CurvatureStore<T>>(rows_, options_.shape, shift_);
    StackedSolver<T> solver(rows, curvature, *store_, options_.shape,
                            curvature == nullptr ? without_curvature() : rule_);
    if (begin == 0) {
      full_ = path_on(rows_, rows.total_weight());
      starts = solver.solve_all(full_);
      append(full_);
    } else {
      starts = solver.group_gradients(full_);
    }
    if (count > 0) solve_folds(rows, solver, count, starts);
  }

  void solve_folds(const FoldRows<T>& rows, StackedSolver<T>& solver, size_t count,
                   const std::vector<GroupGradients>& starts) {
    std::vector<StackedModel> models;
    std::vector<size_t> parents;
    for (size_t k = 0; k < count; ++k) {
      double weight = 0;
      for (size_t g = 0; g < rows.groups(); ++g) weight += g == k ? 0.0 : rows.group_weights()[g];
      if (!(weight > 0)) {
        throw_invalid("fit", "expected training rows with a weight above zero in each fold");
      }
      for (size_t p = 0; p < options_.l2.size(); ++p) {
        models.push_back({.fold = k, .alpha = options_.l2[p] / weight, .theta = {}});
        parents.push_back(p);
      }
    }
    solver.solve_folds(models, starts, parents);
    append(models);
  }

  // The models on all of `rows`, penalised as those of rows with the weight `total`, and their starts: zero,
  // or the solutions for a sample of many.
  std::vector<StackedModel> path_on(const WeightedRows<T>& rows, double total) const {
    std::vector<StackedModel> models;
    const size_t size = columns_ * options_.shape.outputs;
    for (const double l2 : options_.l2) {
      models.push_back({.alpha = l2 / total, .theta = std::vector<double>(size, 0.0)});
    }
    if (rows.x.rows >= std::max(kSampledFrom, 16 * kSampleStride * columns_))
      solve_sample(rows, total, models);
    return models;
  }

  // To the accuracy that the sample itself has: its solutions are off by about parameters / rows.
  void solve_sample(const WeightedRows<T>& rows, double total, std::vector<StackedModel>& models) const {
    const RowSample<T> sample(rows, kSampleStride);
    std::vector<int32_t> ids;
    const FoldRows<T> sampled = batch_rows(sample.rows(), 1, 0, 0, ids);
    if (!(sampled.total_weight() > 0)) return;
    std::vector<StackedModel> own = path_on(sample.rows(), total);
    StopRule rough = rule_;
    rough.decrement = std::max(rule_.decrement, 0.02 * static_cast<double>(models[0].theta.size()) /
                                                    static_cast<double>(sample.rows().x.rows));
    rough.max_iterations = 30;
    CurvatureStore<T> store(sample.rows(), options_.shape, shift_);
    const bool curved = curvature_rows(sample.rows().x.rows, 0) > 0;
    StackedSolver<T> solver(sampled, curved ? &sampled : nullptr, store, options_.shape, rough);
    solver.solve_all(own);
    for (size_t i = 0; i < own.size(); ++i) models[i].theta = own[i].theta;
  }

  // Rows that second derivatives are taken from, so that these and their factors cost a few passes of all
  // models or next to nothing; 0: too many columns for the rows, do without.
  size_t curvature_rows(size_t rows, size_t folds) const {
    const size_t outputs = options_.shape.outputs, penalties = options_.l2.size();
    const size_t models = (folds + 1) * penalties;
    const size_t pass = 4 * rows * columns_ * outputs * models;
    const size_t work = std::max(kCurvaturePasses * pass, size_t{1} << 27);
    const size_t factors = penalties * outputs * columns_ * columns_ * columns_ / 3;
    const size_t each = kCurvaturePoints * columns_ * columns_ * outputs;
    const size_t affordable = work > factors ? (work - factors) / each : 0;
    return affordable < std::min(rows, 4 * columns_) ? 0 : std::min(affordable, rows);
  }

  // Without second derivatives each step wins a fixed factor only, and digits cost passes.
  StopRule without_curvature() const {
    StopRule rule = rule_;
    rule.decrement = options_.tolerance * options_.tolerance * 1e-3;
    return rule;
  }

  void append(const std::vector<StackedModel>& models) {
    for (const StackedModel& model : models) {
      append_unshifted(model.theta.data(), options_.shape, rows_.x.cols, shift_, result_.coef,
                       result_.intercept);
      result_.iterations.push_back(model.iterations);
      result_.status.push_back(model.status);
    }
  }

  const WeightedRows<T>& rows_;
  const int32_t* fold_of_row_;
  const size_t folds_;
  const StackedOptions& options_;
  std::vector<double> shift_;
  size_t columns_;
  size_t batch_;
  StopRule rule_;
  std::unique_ptr<CurvatureStore<T>> store_;
  std::vector<StackedModel> full_;
  StackedResult result_;
};

}  // namespace

template <class T>
StackedResult fit_stacked(const WeightedRows<T>& rows, const int32_t* fold_of_row, size_t folds,
                          const StackedOptions& options) {
  return StackedFit<T>(rows, fold_of_row, folds, options).run();
}

template StackedResult fit_stacked(const WeightedRows<float>&, const int32_t*, size_t, const StackedOptions&);
template StackedResult fit_stacked(const WeightedRows<double>&, const int32_t*, size_t,
                                   const StackedOptions&);

}  // namespace maas
