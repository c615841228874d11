// Elastic nets on all rows and on the rows left by each fold of a cross-validation: one pass over the rows
// makes the problems, then every (fold, l1_ratio) follows its own path on the thread pool.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "maas/base/csr.h"
#include "maas/linear/elastic_net.h"
#include "maas/linear/row_panels.h"

namespace maas {

// How often each row counts in training and in testing (n values each), before its weight.
struct Split {
  std::vector<double> train;
  std::vector<double> test;
};

// Which rows train and test in each fold. Either `fold_of_row` says which fold tests a row (-1: none), and
// every other trains on it; or, where folds overlap, `splits` says how often each row counts.
struct FoldPlan {
  size_t folds = 0;
  std::vector<int32_t> fold_of_row;
  std::vector<Split> splits;

  bool partition() const { return !fold_of_row.empty(); }
  // Weights of the rows in training or testing fold k.
  std::vector<double> weights(size_t k, bool train, const std::vector<double>& row_weights) const;
};

struct ElasticNetSolution {
  std::vector<double> coef;       // alphas × d
  std::vector<double> intercept;  // one an alpha, like the rest
  std::vector<double> gap;
  std::vector<size_t> iterations;
  std::vector<bool> converged;
};

// Mean squared error of the rows left out.
struct PathErrors {
  std::vector<double> mean_square;  // one an alpha
  std::vector<bool> converged;
  std::vector<double> gap;
};

class ElasticNetFolds {
 public:
  virtual ~ElasticNetFolds() = default;
  // Of all rows.
  virtual const ElasticNetProblem& whole() const = 0;
  virtual size_t folds() const = 0;
  virtual const ElasticNetProblem& training(size_t fold) const = 0;
  // Follows a path on the fold's training rows and measures it on its test rows, for the first target.
  virtual PathErrors errors(size_t fold, const ElasticNetOptions& options,
                            const std::vector<double>& alphas) const = 0;
};

// Views must outlive the result. Throws NotFinite naming the guilty array.
template <class T>
std::unique_ptr<ElasticNetFolds> elastic_net_folds(const RegressionRows<T>& rows, bool intercept,
                                                   const FoldPlan& plan);
template <class T>
std::unique_ptr<ElasticNetFolds> elastic_net_folds(const CsrView<T>& x, MatrixView<T> y,
                                                   VectorView<double> weights, bool intercept,
                                                   const FoldPlan& plan);

// One a target, target by target: solves from start (targets × d, or empty).
std::vector<ElasticNetSolution> solve_targets(const ElasticNetProblem& problem,
                                              const ElasticNetOptions& options,
                                              const std::vector<double>& alphas,
                                              const std::vector<double>& start);
// The same for the training rows of every fold, fold by fold.
std::vector<ElasticNetSolution> solve_folds(const ElasticNetFolds& folds, const ElasticNetOptions& options,
                                            const std::vector<double>& alphas);

// ratios × folds: the path of alphas[r] at l1_ratio[r] for every fold.
std::vector<PathErrors> fold_errors(const ElasticNetFolds& folds, const ElasticNetOptions& options,
                                    const std::vector<double>& l1_ratio,
                                    const std::vector<std::vector<double>>& alphas);

}  // namespace maas
