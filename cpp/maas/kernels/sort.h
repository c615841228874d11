// Sorting for ranking metrics: keys alone, or keys with their positions. The result is unique, so it depends
// neither on threads nor on the SIMD target. Large arrays use the pool
// (base/thread_pool.h). -0 equals +0 and comes back as +0; NaN sorts after +inf (before -inf when its sign
// bit is set).
#pragma once

#include <cstddef>
#include <cstdint>

namespace maas {

// Ascending, in place. Needs 16 bytes of memory a key.
void sort_keys(float* keys, size_t n);
void sort_keys(double* keys, size_t n);

enum class SortOrder { kAscending, kDescending };

// index[r] is the position of the r-th key in `order`; equal keys keep the order of their positions.
// n < 2^32. Needs 16 (float) or 32 (double) bytes of memory a key.
void argsort(const float* keys, size_t n, SortOrder order, uint32_t* index);
void argsort(const double* keys, size_t n, SortOrder order, uint32_t* index);

}  // namespace maas
