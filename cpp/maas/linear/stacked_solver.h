// Solves many logistic or softmax models over the same rows in lockstep: each pass serves all that are not
// done yet.
#pragma once

#include <cstddef>
#include <vector>

#include "maas/linear/curvature_store.h"
#include "maas/linear/slope_descent.h"
#include "maas/linear/stacked_pass.h"

namespace maas {

// One model: its problem, its start and then its solution.
struct StackedModel {
  size_t fold = kNoFold;  // left out of training
  double alpha = 0;       // f(theta) = mean loss + alpha/2 |w|²
  std::vector<double> theta;
  SolveStatus status = SolveStatus::kMaxIterations;
  size_t iterations = 0;
};

// Where a model on all rows was evaluated last, and its gradient there from each group of rows: the start of
// the folds' models, whose gradients it gives without a pass.
struct GroupGradients {
  std::vector<double> theta;
  std::vector<double> sums;  // groups × size
};

template <class T>
class StackedSolver {
 public:
  // curvature_rows: the rows, or a sample of them with the same folds, that second derivatives are taken
  // from; null: none. Holds views of all of them.
  StackedSolver(const FoldRows<T>& rows, const FoldRows<T>* curvature_rows, CurvatureStore<T>& store,
                const LinearModelShape& shape, const StopRule& rule)
      : rows_(rows),
        curvature_rows_(curvature_rows),
        store_(store),
        shape_(shape),
        rule_(rule),
        pass_(rows, shape) {}

  // Models on all rows, from models[i].theta.
  std::vector<GroupGradients> solve_all(std::vector<StackedModel>& models);
  // Models that leave a fold out; model i starts at starts[parents[i]].
  void solve_folds(std::vector<StackedModel>& models, const std::vector<GroupGradients>& starts,
                   const std::vector<size_t>& parents);

  std::vector<GroupGradients> group_gradients(const std::vector<StackedModel>& models) const;

 private:
  SlopeDescent descent_from(const std::vector<double>& theta) const;
  double training_weight(size_t fold) const;
  std::vector<double> training_gradient(const double* group_sums, size_t fold) const;
  void tell(const StackedModel& model, const double* sums, SlopeDescent& descent) const;
  void give_curvature(const std::vector<StackedModel>& models, std::vector<SlopeDescent>& descents);
  void take_results(const std::vector<SlopeDescent>& descents, std::vector<StackedModel>& models) const;
  size_t round_length(const SlopeDescent& descent) const;

  const FoldRows<T>& rows_;
  const FoldRows<T>* curvature_rows_;
  CurvatureStore<T>& store_;
  LinearModelShape shape_;
  StopRule rule_;
  StackedPass<T> pass_;
};

}  // namespace maas
