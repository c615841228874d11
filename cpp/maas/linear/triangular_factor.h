// The R of a QR factorisation, built from blocks of rows as they come (Golub & Van Loan, Matrix Computations,
// 5.2 and 12.5): each block is folded into R by Householder reflections, so the rows are never held together
// and the condition number is not squared as it is by a Gram matrix.
#pragma once

#include <cstddef>

#include "maas/base/aligned.h"

namespace maas {

class TriangularFactor {
 public:
  explicit TriangularFactor(size_t columns) : columns_(columns), r_(columns * columns, 0.0) {}

  size_t columns() const { return columns_; }
  // Row-major; zero below the diagonal.
  double* data() { return r_.data(); }
  const double* data() const { return r_.data(); }
  double operator()(size_t i, size_t j) const { return r_.data()[i * columns_ + j]; }

  // R <- the R of [R; block]. The block holds `columns` columns of ld values, of which the first `rows` (a
  // multiple of 8, padding rows zero) count; it is destroyed.
  void absorb(double* block, size_t ld, size_t rows);
  void absorb(const TriangularFactor& other);

 private:
  size_t columns_;
  AlignedBuffer<double> r_;
};

}  // namespace maas
