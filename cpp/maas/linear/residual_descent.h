// Coordinate descent on the residuals themselves: for so many columns at once that the products of all pairs
// would take more memory than the columns.
#pragma once

#include <cstdint>
#include <vector>

#include "maas/linear/column_source.h"
#include "maas/linear/coordinate_descent.h"

namespace maas {

struct UniformPenalty {
  double l1 = 0;
  double l2 = 0;
  bool positive = false;
};

// Minimises Σ s r² / 2 + l1 |w|₁ + l2/2 |w|² over the columns of `set`, from w (of all columns), in place.
// weighted: s r of every row, destroyed. Sweeps over the whole set alternate with sweeps over what is not
// zero, which count for the part of the set that they visit. Serial.
CoordinateResult descend_residuals(const ColumnSource& source, const ColumnMoments& moments,
                                   const std::vector<uint32_t>& set, const UniformPenalty& penalty,
                                   const CoordinateOptions& options, std::vector<double>& weighted,
                                   std::vector<double>& w);

}  // namespace maas
