#include "maas/kernels/triangle.h"

#include <cstring>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "maas/kernels/triangle.cc"
#include "hwy/foreach_target.h"
#include "hwy/highway.h"

HWY_BEFORE_NAMESPACE();
namespace maas {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

inline constexpr size_t kVectors = 4;  // as many chains as hide the latency of FMA
inline constexpr size_t kWidth = kVectors * HWY_LANES(double);

// kWidth columns of B. Rows above are known when the triangle is transposed, rows below when it is not.
template <bool kTransposed>
void solve_columns(const double* u, size_t ldu, size_t n, double* b, size_t ldb) {
  const hn::ScalableTag<double> d;
  for (size_t step = 0; step < n; ++step) {
    const size_t i = kTransposed ? step : n - 1 - step;
    double* row = b + i * ldb;
    hn::Vec<decltype(d)> x[kVectors];
    for (size_t v = 0; v < kVectors; ++v) x[v] = hn::LoadU(d, row + v * hn::Lanes(d));
    for (size_t known = 0; known < step; ++known) {
      const size_t k = kTransposed ? known : n - 1 - known;
      const auto factor = hn::Set(d, kTransposed ? u[k * ldu + i] : u[i * ldu + k]);
      for (size_t v = 0; v < kVectors; ++v) {
        x[v] = hn::NegMulAdd(factor, hn::LoadU(d, b + k * ldb + v * hn::Lanes(d)), x[v]);
      }
    }
    const auto pivot = hn::Set(d, u[i * ldu + i]);
    for (size_t v = 0; v < kVectors; ++v) hn::StoreU(hn::Div(x[v], pivot), d, row + v * hn::Lanes(d));
  }
}

template <bool kTransposed>
void solve_all(const double* u, size_t ldu, size_t n, double* b, size_t ldb, size_t cols) {
  size_t j = 0;
  for (; j + kWidth <= cols; j += kWidth) solve_columns<kTransposed>(u, ldu, n, b + j, ldb);
  if (j == cols) return;
  const size_t bytes = (cols - j) * sizeof(double);
  HWY_ALIGN double padded[kTriangleRows * kWidth] = {};
  for (size_t i = 0; i < n; ++i) std::memcpy(padded + i * kWidth, b + i * ldb + j, bytes);
  solve_columns<kTransposed>(u, ldu, n, padded, kWidth);
  for (size_t i = 0; i < n; ++i) std::memcpy(b + i * ldb + j, padded + i * kWidth, bytes);
}

void solve_upper_transposed(const double* u, size_t ldu, size_t n, double* b, size_t ldb, size_t cols) {
  solve_all<true>(u, ldu, n, b, ldb, cols);
}
void solve_upper(const double* u, size_t ldu, size_t n, double* b, size_t ldb, size_t cols) {
  solve_all<false>(u, ldu, n, b, ldb, cols);
}

}  // namespace HWY_NAMESPACE
}  // namespace maas
HWY_AFTER_NAMESPACE();

#if HWY_ONCE

namespace maas {

HWY_EXPORT(solve_upper_transposed);
HWY_EXPORT(solve_upper);

void solve_triangle_transposed(const double* u, size_t ldu, size_t n, double* b, size_t ldb, size_t cols) {
  HWY_DYNAMIC_DISPATCH(solve_upper_transposed)(u, ldu, n, b, ldb, cols);
}
void solve_triangle(const double* u, size_t ldu, size_t n, double* b, size_t ldb, size_t cols) {
  HWY_DYNAMIC_DISPATCH(solve_upper)(u, ldu, n, b, ldb, cols);
}

}  // namespace maas
#endif  // HWY_ONCE
