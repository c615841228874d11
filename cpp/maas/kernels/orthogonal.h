// The inner loops of Householder QR and one-sided Jacobi SVD on columns of float64. Every sum runs in 8
// logical lanes added up by one fixed tree, so bits do not depend on the SIMD target.
#pragma once

#include <cstddef>

namespace maas {

// Column lengths must be multiples of this; pad with zeros.
inline constexpr size_t kColumnPad = 8;
inline constexpr size_t padded_column(size_t n) { return (n + kColumnPad - 1) / kColumnPad * kColumnPad; }

struct PairProducts {
  double xx, xy, yy;
};
PairProducts pair_products(const double* x, const double* y, size_t n);

// (x, y) <- (c x - s y, s x + c y).
void rotate_columns(double* x, double* y, size_t n, double c, double s);

// Applies H = I - tau (1, v)(1, v)ᵀ to `cols` columns, each a head row[j] on top of n values at block + j *
// ld.
void reflect_columns(const double* v, double tau, double* row, double* block, size_t ld, size_t n,
                     size_t cols);

}  // namespace maas
