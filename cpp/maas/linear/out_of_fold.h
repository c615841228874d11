// Scores of each row by the models that did not train on it, for all penalties in one pass.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "maas/linear/row_objective.h"

namespace maas {

// Models by fold: folds × penalties × outputs, each with its weights and, after them all, its intercept.
template <class T>
struct FoldModels {
  const T* coef;       // folds × penalties × outputs × features
  const T* intercept;  // folds × penalties × outputs
  size_t folds, penalties, outputs;
};

// decisions[(p * rows + i) * outputs + o]: the margin of row i by the model of penalty p whose fold tests it;
// rows that no fold tests are left alone. Throws NotFinite.
template <class T>
void out_of_fold_decisions(const WeightedRows<T>& rows, const int32_t* fold_of_row,
                           const FoldModels<T>& models, T* decisions);

// The weight of the tested rows whose class is predicted right, folds × penalties, and of all tested rows,
// one a fold after those. y holds class indices; one output predicts class 1 where the margin is above zero,
// more predict the first largest.
template <class T>
std::vector<double> out_of_fold_hits(const WeightedRows<T>& rows, const int32_t* fold_of_row,
                                     const FoldModels<T>& models);

}  // namespace maas
