// Sums, extremes and checks of contiguous arrays. Sums are taken in float64 lanes for either type, so float32
// input loses nothing, by the order of kernels/sum-inl.h. Any alignment; nothing past the arrays is read.
// Floor: one read of each array; every sum here runs at the speed of memory beyond the caches.
#pragma once

#include <cstddef>

namespace maas {

enum class Reduction {
  kSum,                         // sum of x
  kSumSquares,                  // sum of x^2
  kSumAbsolute,                 // sum of |x|
  kDot,                         // sum of x y
  kSquaredDifference,           // sum of (x - y)^2
  kAbsoluteDifference,          // sum of |x - y|
  kWeightedSum,                 // sum of w x
  kWeightedSquaredDifference,   // sum of w (x - y)^2
  kWeightedAbsoluteDifference,  // sum of w |x - y|
};

// One thread, one chain of partials. Arrays an operation does not use may be null.
double reduce(Reduction op, size_t n, const float* x, const float* y = nullptr, const double* w = nullptr);
double reduce(Reduction op, size_t n, const double* x, const double* y = nullptr, const double* w = nullptr);

// The same over the pool: shards whose number depends on n alone, combined by a fixed tree. Equal to reduce()
// up to 32768 elements.
double reduce_parallel(Reduction op, size_t n, const float* x, const float* y = nullptr,
                       const double* w = nullptr);
double reduce_parallel(Reduction op, size_t n, const double* x, const double* y = nullptr,
                       const double* w = nullptr);

template <class T>
struct Extremes {
  T min, max;  // +inf and -inf for an empty array, both NaN when any element is
};
Extremes<float> extremes(const float* x, size_t n);
Extremes<double> extremes(const double* x, size_t n);

// No NaN and no infinity.
bool all_finite(const float* x, size_t n);
bool all_finite(const double* x, size_t n);

}  // namespace maas
