// Columns shifted to about zero for a solve, and weights taken back to the columns as they were.
#pragma once

#include <cstddef>
#include <vector>

#include "maas/base/view.h"
#include "maas/linear/row_objective.h"

namespace maas {

// A value of the rows' type near the middle of each column; of a constant column that constant. Shifted by
// it, a column with a large offset loses no digits, a constant one is all zeros rather than rounding that
// looks like a feature, and the intercept does not depend on the weights much. It moves no optimum.
template <class T>
std::vector<double> middle_of_columns(const MatrixView<T>& x);

// Appends the weights and intercepts, for columns that are not shifted, of theta: for each output one weight
// a shifted column and then the intercept, if there is one.
inline void append_unshifted(const double* theta, const LinearModelShape& shape, size_t features,
                             const std::vector<double>& shift, std::vector<double>& coef,
                             std::vector<double>& intercept) {
  const size_t columns = features + (shape.intercept ? 1 : 0);
  for (size_t o = 0; o < shape.outputs; ++o) {
    const double* own = theta + o * columns;
    coef.insert(coef.end(), own, own + features);
    double constant = shape.intercept ? own[features] : 0.0;
    for (size_t j = 0; j < shift.size(); ++j) constant -= own[j] * shift[j];
    intercept.push_back(constant);
  }
}

}  // namespace maas
