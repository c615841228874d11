// Singular value decomposition by one-sided Jacobi rotations (Demmel & Veselić 1992): small and
// deterministic, and it finds tiny singular values of badly scaled columns to full relative accuracy.
#pragma once

#include <cstddef>
#include <vector>

namespace maas {

struct Svd {
  size_t columns = 0;
  std::vector<double> singular;  // descending
  std::vector<double> u;  // column k, of length `columns`, at u + k * columns; zero where singular is 0
  std::vector<double> v;  // likewise
};

// A = U diag(s) Vᵀ of a square row-major matrix.
Svd svd(const double* a, size_t columns);

}  // namespace maas
