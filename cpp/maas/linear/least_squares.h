// Ordinary and ridge least squares: one pass and a Cholesky factorisation where the condition allows, an
// orthogonal factorisation of the rows where it does not, minimum norm where the solution is not unique.
#pragma once

#include <cstddef>
#include <vector>

#include "maas/linear/gram_state.h"
#include "maas/linear/row_panels.h"

namespace maas {

struct LeastSquaresOptions {
  bool intercept = true;
  // L2 penalty on the coefficients: one value, or one a target. Zero everywhere: ordinary least squares.
  std::vector<double> alpha = {0.0};
  // Without penalty, singular values up to cutoff times the largest count as zero.
  double cutoff = 1e-6;
  bool orthogonal = false;  // never by the normal equations
};

struct LeastSquaresFit {
  std::vector<double> coef;       // t × d
  std::vector<double> intercept;  // t
  size_t rank = 0;                // of the centred rows, by the cutoff
  // Singular values of the centred, weighted rows, or an m × m matrix that has them.
  std::vector<double> singular;
  std::vector<double> factor;
  bool orthogonal = false;  // which way was taken
};

// Throws NotFinite naming the guilty array, Interrupted, and InvalidArgument when the numbers overflow.
template <class T>
LeastSquaresFit fit_least_squares(const RegressionRows<T>& rows, const LeastSquaresOptions& options);

// The same from a state whose rows are gone. The bits are those of fit_least_squares with products in double
// where that solves the normal equations; where it would go back to the rows, the eigenvectors of the Gram
// matrix give the minimum norm solution, with directions of a relative singular value below about 1e-7 lost.
LeastSquaresFit fit_moments(const GramState& state, const LeastSquaresOptions& options);

extern template LeastSquaresFit fit_least_squares(const RegressionRows<float>&, const LeastSquaresOptions&);
extern template LeastSquaresFit fit_least_squares(const RegressionRows<double>&, const LeastSquaresOptions&);

}  // namespace maas
