// Ordinary and ridge least squares of compressed sparse rows, which are centred in the products and never in
// memory: the normal equations for few columns, conjugate gradients on them for many.
#pragma once

#include <cstddef>
#include <vector>

#include "maas/base/csr.h"
#include "maas/base/view.h"

namespace maas {

struct SparseLeastSquaresOptions {
  bool intercept = true;
  // L2 penalty on the coefficients, not the intercept: one value, or one a target.
  std::vector<double> alpha = {0.0};
  // Without penalty, normal equations whose condition comes near 1 / cutoff are left to the iterations.
  double cutoff = 1e-6;
  size_t max_iterations = 0;  // of a target; 0: enough for rounding to be the limit
};

struct SparseLeastSquaresFit {
  std::vector<double> coef;       // t x d
  std::vector<double> intercept;  // t
  size_t iterations = 1;          // most of any target; 1 for the normal equations
  bool direct = false;            // whether by the normal equations
  bool converged = true;
};

// Minimises Σ_i s_i (y_i - x_i . w - b)² + alpha |w|² for each column of y (n x t); where the minimum is not
// unique, the w of least norm. The iterations stop where ten of them together lower the objective by less
// than 1e-19 (with a penalty
// 1e-22) of what all did. Throws NotFinite naming the guilty array, Interrupted.
template <class T>
SparseLeastSquaresFit fit_sparse_least_squares(const CsrView<T>& x, const MatrixView<double>& y,
                                               const VectorView<double>& weight,
                                               const SparseLeastSquaresOptions& options);

extern template SparseLeastSquaresFit fit_sparse_least_squares(const CsrView<float>&,
                                                               const MatrixView<double>&,
                                                               const VectorView<double>&,
                                                               const SparseLeastSquaresOptions&);
extern template SparseLeastSquaresFit fit_sparse_least_squares(const CsrView<double>&,
                                                               const MatrixView<double>&,
                                                               const VectorView<double>&,
                                                               const SparseLeastSquaresOptions&);

}  // namespace maas
