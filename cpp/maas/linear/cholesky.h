// Cholesky factorisation of a dense symmetric matrix, and what is done with the factor. Matrices are square,
// row-major with ld >= n, in double; only the upper triangle is read or written, but what lies below may be
// overwritten with anything. Recursive halving puts nearly all work into gemm_update. Same bits on any number
// of threads and every SIMD target with FMA.
#pragma once

#include <cstddef>

namespace maas {

// A = UᵀU, U in place of A. Returns n, or the index of the first pivot that is not positive (or is NaN): the
// matrix is not positive definite to working precision and A's contents are lost.
size_t cholesky(double* a, size_t n, size_t ld);

// B (n × cols, row-major, ldb >= cols) = U⁻ᵀ·B, U⁻¹·B, or both: A⁻¹·B.
void solve_upper_transposed(const double* u, size_t n, size_t ld, double* b, size_t ldb, size_t cols);
void solve_upper(const double* u, size_t n, size_t ld, double* b, size_t ldb, size_t cols);
void cholesky_solve(const double* u, size_t n, size_t ld, double* b, size_t ldb, size_t cols);

// Largest absolute column sum of the symmetric matrix whose upper triangle is given. Take it before cholesky.
double symmetric_norm1(const double* a, size_t n, size_t ld);

// Estimate of 1 / (‖A‖₁·‖A⁻¹‖₁) from the factor and norm1 = ‖A‖₁, in O(n²): LAPACK's dpocon, that is Hager's
// method as Higham refined it (ACM TOMS 14(4), 1988). Never below the truth, rarely three times above it.
// 0 when the norm is not finite or the solves overflow.
double cholesky_rcond(const double* u, size_t n, size_t ld, double norm1);

}  // namespace maas
