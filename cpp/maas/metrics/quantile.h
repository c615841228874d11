// A quantile of targets or of absolute errors, weighted or not, by selection: no full sort.
#pragma once

#include "maas/metrics/array_view.h"

namespace maas {

// With rows in ascending order of x and C the running sum of weights, the first x where C reaches
// share * total; its mean with the next x of positive weight where C is level with that, after Hyndman and
// Fan (1996), definition 2. Level means equal up to rounding of sums. x is y, or |y - predicted| where
// `predicted` is given; `weight` may be empty: every row then weighs 1, and a share of 1/2 gives the median.
// Rows of weight 0 are left out; share in [0, 1]; at least one finite row of non-zero weight. Takes 8 bytes a
// row, 16 if weighted.
double averaged_quantile(double share, const ArrayView& y, const ArrayView& predicted,
                         const ArrayView& weight);

}  // namespace maas
