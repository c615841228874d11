#include "maas/linear/triangular_factor.h"

#include <cmath>

#include "maas/kernels/orthogonal.h"

namespace maas {

void TriangularFactor::absorb(double* block, size_t ld, size_t rows) {
  for (size_t k = 0; k < columns_; ++k) {
    double* v = block + k * ld;
    const double below = pair_products(v, v, rows).xx;
    if (below == 0) continue;
    double& head = r_[k * columns_ + k];
    // The sign that adds avoids cancellation in the reflector's first entry.
    const double norm = std::sqrt(head * head + below);
    const double beta = head > 0 ? -norm : norm;
    const double first = head - beta;
    const double tau = -first / beta;
    for (size_t i = 0; i < rows; ++i) v[i] /= first;
    head = beta;
    reflect_columns(v, tau, &head + 1, v + ld, ld, rows, columns_ - k - 1);
  }
}

void TriangularFactor::absorb(const TriangularFactor& other) {
  const size_t ld = padded_column(columns_);
  AlignedBuffer<double> block(columns_ * ld, 0.0);
  for (size_t i = 0; i < columns_; ++i) {
    for (size_t j = i; j < columns_; ++j) block[j * ld + i] = other(i, j);
  }
  absorb(block.data(), ld, ld);
}

}  // namespace maas
