// Cross-validated logistic regression, binary or multinomial, with an L2 penalty: all folds × penalties, and
// the models on all rows, solved together so that they share passes over the rows and second derivatives.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "maas/linear/minimise.h"
#include "maas/linear/row_objective.h"

namespace maas {

struct StackedOptions {
  LinearModelShape shape;  // kLogistic or kSoftmax
  // Model (fold, p) minimises Σ_i s_i loss_i + l2[p]/2 |w|² over the rows that the fold does not test.
  std::vector<double> l2;
  double tolerance = 1e-4;  // as for lbfgs in FitOptions
  size_t max_iterations = 100;
};

// Slot 0 holds the models on all rows, slot 1 + k those of fold k.
struct StackedResult {
  std::vector<double> coef;         // slots × penalties × outputs × features
  std::vector<double> intercept;    // slots × penalties × outputs
  std::vector<size_t> iterations;   // slots × penalties
  std::vector<SolveStatus> status;  // slots × penalties
};

// fold_of_row: for each row the fold in [0, folds) that tests it, or -1: all train on it. Null where folds is
// 0. Throws NotFinite for NaN or infinity in the arrays.
template <class T>
StackedResult fit_stacked(const WeightedRows<T>& rows, const int32_t* fold_of_row, size_t folds,
                          const StackedOptions& options);

}  // namespace maas
