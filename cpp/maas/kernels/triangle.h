// Substitution with a small upper triangle: the leaves of the blocked factorisations and solves.
#pragma once

#include <cstddef>

namespace maas {

// Largest triangle taken here; more is left to gemm_update.
inline constexpr size_t kTriangleRows = 32;

// B (n × cols, row-major) = U⁻ᵀ·B or U⁻¹·B in place; U is n × n row-major, its upper triangle is read.
// n <= kTriangleRows. Each output is one FMA chain and one division. On the calling thread.
void solve_triangle_transposed(const double* u, size_t ldu, size_t n, double* b, size_t ldb, size_t cols);
void solve_triangle(const double* u, size_t ldu, size_t n, double* b, size_t ldb, size_t cols);

}  // namespace maas
