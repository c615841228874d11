// QR of tall matrices that are read in blocks of rows, in parallel (Demmel et al. 2012, TSQR): shards fold
// their blocks into triangular factors, which meet in one fixed tree. Twice the work of a Gram matrix, but
// the error grows with the condition number instead of its square.
#pragma once

#include <cstddef>
#include <functional>

#include "maas/linear/triangular_factor.h"

namespace maas {

// Fills rows [first, first + n) of the matrix: `columns` columns of ld values (ld >= n rounded up to 16),
// zero from n on. Called from several threads at once.
using PackBlock = std::function<void(size_t first, size_t n, double* block, size_t ld)>;

TriangularFactor tsqr(size_t rows, size_t columns, const PackBlock& pack);

}  // namespace maas
