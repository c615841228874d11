// Least squares without a Gram matrix: QR of the centred, weighted rows, and the SVD of its R where
// directions may have to be dropped.
#pragma once

#include <vector>

#include "maas/linear/least_squares.h"

namespace maas {

// n >= d: QR of the rows. centre: d + t values subtracted from features and targets. Fills all but intercept.
template <class T>
LeastSquaresFit solve_tall(const RegressionRows<T>& rows, const std::vector<double>& centre,
                           const LeastSquaresOptions& options);

// n < d: the solution lies in the span of the rows, so it has minimum norm. By Cholesky of X Xᵀ for many
// well-conditioned rows (unless options.orthogonal), else by QR of the transposed rows.
template <class T>
LeastSquaresFit solve_wide(const RegressionRows<T>& rows, const std::vector<double>& centre,
                           const LeastSquaresOptions& options);

}  // namespace maas
