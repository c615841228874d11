// (G + alpha I) w = b by Cholesky, when the condition allows it: forming G = XᵀX squares the condition number
// of X, so beyond a limit the caller must go back to the rows (linear/tsqr.h).
#pragma once

#include <cstddef>
#include <optional>
#include <vector>

namespace maas {

// Beyond this condition of X (columns scaled to length 1), eps * condition² exceeds 1e-8.
inline constexpr double kGramCondition = 1e4;

struct NormalSolution {
  std::vector<double> coef;    // t × d
  std::vector<double> factor;  // d × d upper triangular R, row-major: RᵀR = G + alpha I
};

// gram: d × d of leading dimension ld. rhs: d × t, column k at rhs + k, row stride rhs_ld. Returns nothing
// when the matrix is too ill-conditioned, or when its condition comes near 1 / cutoff, so that singular
// values might have to be dropped (cutoff 0: none ever).
std::optional<NormalSolution> solve_normal_equations(const double* gram, size_t ld, size_t d,
                                                     const double* rhs, size_t rhs_ld, size_t t, double alpha,
                                                     double cutoff);

// Largest over smallest singular value of an upper triangular factor, estimated from below by power
// iterations; infinite where the diagonal holds a zero.
double estimate_condition(const double* factor, size_t d);

}  // namespace maas
