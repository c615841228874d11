// Sums that regression metrics need, over one block of rows that stays in cache. Each sum has 32 partials,
// row i in partial i % 32, combined by one fixed tree and without fused multiply-add: the same bits on every
// target.
#pragma once

#include <cstddef>

namespace maas {

// `weight` may be null: every row then weighs 1. Any alignment.
double sum_squared_error(const double* y, const double* predicted, const double* weight, size_t n);
double sum_absolute_error(const double* y, const double* predicted, const double* weight, size_t n);
// Sum of weight * (y - centre).
double sum_distance(const double* y, double centre, const double* weight, size_t n);
// Sum of weight * (y - centre)^2.
double sum_spread(const double* y, double centre, const double* weight, size_t n);

}  // namespace maas
