#include <algorithm>
#include <cmath>
#include <utility>

#include "maas/base/error.h"
#include "maas/linear/column_path.h"
#include "maas/linear/elastic_net_folds.h"
#include "maas/linear/gram_folds.h"

namespace maas {
namespace {

// Products of all pairs of columns are made where they are no larger than the rows, and fit in memory.
constexpr size_t kGramColumns = 4096;
constexpr size_t kFewColumns = 64;

// One source of columns for every fold; rows a fold leaves out have weight zero.
class ColumnFolds : public ElasticNetFolds {
 public:
  ColumnFolds(std::unique_ptr<ColumnSource> source, const std::vector<std::vector<double>>& y,
              const std::vector<double>& weights, bool intercept, const FoldPlan& plan)
      : source_(std::move(source)), whole_(*source_, y, weights, intercept) {
    for (size_t k = 0; k < plan.folds; ++k) {
      training_.push_back(
          std::make_unique<ColumnProblem>(*source_, y, plan.weights(k, true, weights), intercept));
      tests_.push_back(plan.weights(k, false, weights));
    }
  }

  const ElasticNetProblem& whole() const override { return whole_; }
  size_t folds() const override { return training_.size(); }
  const ElasticNetProblem& training(size_t fold) const override { return *training_[fold]; }

  PathErrors errors(size_t fold, const ElasticNetOptions& options,
                    const std::vector<double>& alphas) const override {
    PathErrors out;
    const std::vector<double>& test = tests_[fold];
    training_[fold]->path(0, options, alphas, {}, [&](const PathPoint& point) {
      double sum = 0, total = 0;
      for (size_t i = 0; i < test.size(); ++i) {
        sum += test[i] * point.residual[i] * point.residual[i];
        total += test[i];
      }
      out.mean_square.push_back(sum / total);
      out.gap.push_back(point.gap);
      out.converged.push_back(point.converged);
    });
    return out;
  }

 private:
  std::unique_ptr<ColumnSource> source_;
  ColumnProblem whole_;
  std::vector<std::unique_ptr<ColumnProblem>> training_;
  std::vector<std::vector<double>> tests_;
};

template <class T>
std::vector<std::vector<double>> target_columns(MatrixView<T> y) {
  std::vector<std::vector<double>> out(y.cols, std::vector<double>(y.rows));
  for (size_t k = 0; k < y.cols; ++k) {
    for (size_t i = 0; i < y.rows; ++i) {
      out[k][i] = static_cast<double>(y(i, k));
      if (!std::isfinite(out[k][i])) throw NotFinite("Input y");
    }
  }
  return out;
}

std::vector<double> weight_vector(VectorView<double> weights, size_t rows) {
  std::vector<double> out(rows, 1.0);
  for (size_t i = 0; i < rows && weights; ++i) {
    out[i] = weights[i];
    if (!std::isfinite(out[i])) throw NotFinite("sample_weight");
  }
  return out;
}

}  // namespace

template <class T>
std::unique_ptr<ElasticNetFolds> elastic_net_folds(const RegressionRows<T>& rows, bool intercept,
                                                   const FoldPlan& plan) {
  const size_t n = rows.x.rows, d = rows.x.cols;
  if (d <= kFewColumns || (d <= n && d <= kGramColumns)) return gram_folds(rows, intercept, plan);
  return std::make_unique<ColumnFolds>(dense_columns(rows.x), target_columns(rows.y),
                                       weight_vector(rows.weights, n), intercept, plan);
}

template <class T>
std::unique_ptr<ElasticNetFolds> elastic_net_folds(const CsrView<T>& x, MatrixView<T> y,
                                                   VectorView<double> weights, bool intercept,
                                                   const FoldPlan& plan) {
  return std::make_unique<ColumnFolds>(sparse_columns(x), target_columns(y), weight_vector(weights, x.rows),
                                       intercept, plan);
}

template std::unique_ptr<ElasticNetFolds> elastic_net_folds(const RegressionRows<float>&, bool,
                                                            const FoldPlan&);
template std::unique_ptr<ElasticNetFolds> elastic_net_folds(const RegressionRows<double>&, bool,
                                                            const FoldPlan&);
template std::unique_ptr<ElasticNetFolds> elastic_net_folds(const CsrView<float>&, MatrixView<float>,
                                                            VectorView<double>, bool, const FoldPlan&);
template std::unique_ptr<ElasticNetFolds> elastic_net_folds(const CsrView<double>&, MatrixView<double>,
                                                            VectorView<double>, bool, const FoldPlan&);

}  // namespace maas
