#include "maas/linear/gram_folds.h"

#include <algorithm>
#include <utility>

#include "maas/base/error.h"
#include "maas/kernels/reduce.h"
#include "maas/linear/fold_gram.h"
#include "maas/linear/gram_path.h"
#include "maas/linear/gram_state.h"

namespace maas {
namespace {

// Below this share of the target's variance, moments leave too few digits of a mean square.
constexpr double kCancelled = 1e-6;

// Mean of (y − xᵀw − intercept)² over the rows of a state, and what it was cut out of.
struct MomentError {
  double mean_square;
  double variance;
};

MomentError moment_error(const GramState& state, const double* w, double intercept) {
  const size_t d = state.features, p = state.size();
  const double* yx = &state.centred[d * p];
  double quadratic = 0, linear = 0, offset = state.mean[d] - intercept;
  for (size_t j = 0; j < d; ++j) {
    if (w[j] == 0) continue;
    quadratic += w[j] * reduce(Reduction::kDot, d, &state.centred[j * p], w);
    linear += w[j] * yx[j];
    offset -= w[j] * state.mean[j];
  }
  const double square = (yx[d] - 2 * linear + quadratic) / state.weight;
  return {square + offset * offset, yx[d] / state.weight};
}

template <class T>
class GramFolds : public ElasticNetFolds {
 public:
  GramFolds(const RegressionRows<T>& rows, bool intercept, const FoldPlan& plan) : rows_(rows), plan_(plan) {
    if (plan.partition()) {
      tests_ = fold_gram_states(rows, plan.fold_of_row.data(), plan.folds);
      std::vector<GramState> training = training_states(tests_);
      tests_.pop_back();
      add_training(training, intercept);
      training[0].merge(tests_[0]);
      whole_ = GramProblem(training[0], intercept);
    } else {
      std::vector<GramState> training;
      for (size_t k = 0; k < plan.folds; ++k) {
        training.push_back(state_of(k, true));
        tests_.push_back(state_of(k, false));
      }
      add_training(training, intercept);
      whole_ = GramProblem(gram_state(rows), intercept);
    }
  }

  const ElasticNetProblem& whole() const override { return whole_; }
  size_t folds() const override { return training_.size(); }
  const ElasticNetProblem& training(size_t fold) const override { return training_[fold]; }

  PathErrors errors(size_t fold, const ElasticNetOptions& options,
                    const std::vector<double>& alphas) const override {
    PathErrors out;
    training_[fold].path(0, options, alphas, {}, [&](const PathPoint& point) {
      const MomentError error = moment_error(tests_[fold], point.coef, point.intercept);
      const bool exact = error.mean_square >= kCancelled * error.variance;
      out.mean_square.push_back(exact ? error.mean_square : row_error(fold, point.coef, point.intercept));
      out.gap.push_back(point.gap);
      out.converged.push_back(point.converged);
    });
    return out;
  }

 private:
  void add_training(const std::vector<GramState>& states, bool intercept) {
    for (size_t k = 0; k < states.size(); ++k) {
      if (!(states[k].weight > 0 && tests_[k].weight > 0)) {
        throw_invalid("cross-validation", "expected sample weights with a positive sum in every fold");
      }
      training_.emplace_back(states[k], intercept);
    }
  }

  std::vector<double> fold_weights(size_t k, bool train) const {
    std::vector<double> weights(rows_.x.rows, 1.0);
    for (size_t i = 0; i < weights.size() && rows_.weights; ++i) weights[i] = rows_.weights[i];
    return plan_.weights(k, train, weights);
  }

  GramState state_of(size_t k, bool train) const {
    const std::vector<double> weights = fold_weights(k, train);
    return gram_state(RegressionRows<T>{rows_.x, rows_.y, {weights.data(), weights.size(), 1}});
  }

  double row_error(size_t fold, const double* w, double intercept) const {
    const std::vector<double> weights = fold_weights(fold, false);
    double sum = 0, total = 0;
    for (size_t i = 0; i < weights.size(); ++i) {
      if (weights[i] == 0) continue;
      double residual = static_cast<double>(rows_.y(i, 0)) - intercept;
      for (size_t j = 0; j < rows_.x.cols; ++j) residual -= w[j] * static_cast<double>(rows_.x(i, j));
      sum += weights[i] * residual * residual;
      total += weights[i];
    }
    return sum / total;
  }

  RegressionRows<T> rows_;
  FoldPlan plan_;
  GramProblem whole_;
  std::vector<GramProblem> training_;
  std::vector<GramState> tests_;
};

}  // namespace

template <class T>
std::unique_ptr<ElasticNetFolds> gram_folds(const RegressionRows<T>& rows, bool intercept,
                                            const FoldPlan& plan) {
  return std::make_unique<GramFolds<T>>(rows, intercept, plan);
}

template std::unique_ptr<ElasticNetFolds> gram_folds(const RegressionRows<float>&, bool, const FoldPlan&);
template std::unique_ptr<ElasticNetFolds> gram_folds(const RegressionRows<double>&, bool, const FoldPlan&);

}  // namespace maas
