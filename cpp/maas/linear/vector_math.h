// Small helpers on the solvers' vectors of doubles: plain serial sums, the same bits everywhere.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <vector>

namespace maas {

inline double dot(const double* a, const double* b, size_t n) {
  double sum = 0;
  for (size_t i = 0; i < n; ++i) sum += a[i] * b[i];
  return sum;
}
inline double dot(const std::vector<double>& a, const std::vector<double>& b) {
  return dot(a.data(), b.data(), a.size());
}

// y += factor * x
inline void add_scaled(double factor, const double* x, double* y, size_t n) {
  for (size_t i = 0; i < n; ++i) y[i] += factor * x[i];
}

// Subtracts the mean. A shift common to all classes is what the softmax loss is blind to.
inline void centre(std::vector<double>& a) {
  double sum = 0;
  for (const double v : a) sum += v;
  for (double& v : a) v -= sum / static_cast<double>(a.size());
}

inline double max_abs(const std::vector<double>& a) {
  double largest = 0;
  for (const double v : a) largest = std::fmax(largest, std::abs(v));
  return largest;
}

}  // namespace maas
