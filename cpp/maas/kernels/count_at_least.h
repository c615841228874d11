// How many values reach each of some thresholds: a histogram without a search, a branch or a scattered write.
#pragma once

#include <cstddef>
#include <cstdint>

namespace maas {

// Thresholds come in whole groups of this many, the largest vector.
template <class T>
inline constexpr size_t kThresholdGroup = 64 / sizeof(T);

// counts[k] += number of i < n with value i >= thresholds[k], for k < size, a multiple of kThresholdGroup<T>.
// NaN reaches none. Value i lies at values + i * stride bytes, at any alignment. Whatever the order of values
// and calls, counts are the same.
void count_at_least(const float* values, ptrdiff_t stride, size_t n, const float* thresholds, size_t size,
                    uint64_t* counts) noexcept;
void count_at_least(const double* values, ptrdiff_t stride, size_t n, const double* thresholds, size_t size,
                    uint64_t* counts) noexcept;

// The least float that is not below `threshold`: a float reaches both or neither.
float float_threshold(double threshold) noexcept;

}  // namespace maas
