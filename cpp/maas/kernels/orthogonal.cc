#include "maas/kernels/orthogonal.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "maas/kernels/orthogonal.cc"
#include "hwy/foreach_target.h"
#include "hwy/highway.h"

HWY_BEFORE_NAMESPACE();
namespace maas {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

constexpr size_t kLanes = kColumnPad;
using D = hn::CappedTag<double, kLanes>;
using V = hn::Vec<D>;

inline double tree(const double* v) {
  return ((v[0] + v[4]) + (v[2] + v[6])) + ((v[1] + v[5]) + (v[3] + v[7]));
}

PairProducts multiply_pair(const double* x, const double* y, size_t n) {
  const D d;
  alignas(64) double xx[kLanes], xy[kLanes], yy[kLanes];
  for (size_t lane = 0; lane < kLanes; lane += hn::Lanes(d)) {
    V a = hn::Zero(d), b = a, c = a;
    for (size_t i = lane; i < n; i += kLanes) {
      const V u = hn::LoadU(d, x + i), w = hn::LoadU(d, y + i);
      a = hn::MulAdd(u, u, a);
      b = hn::MulAdd(u, w, b);
      c = hn::MulAdd(w, w, c);
    }
    hn::Store(a, d, xx + lane);
    hn::Store(b, d, xy + lane);
    hn::Store(c, d, yy + lane);
  }
  return {tree(xx), tree(xy), tree(yy)};
}

void rotate(double* x, double* y, size_t n, double c, double s) {
  const D d;
  const V vc = hn::Set(d, c), vs = hn::Set(d, s);
  for (size_t i = 0; i < n; i += hn::Lanes(d)) {
    const V u = hn::LoadU(d, x + i), w = hn::LoadU(d, y + i);
    hn::StoreU(hn::NegMulAdd(vs, w, hn::Mul(vc, u)), d, x + i);
    hn::StoreU(hn::MulAdd(vs, u, hn::Mul(vc, w)), d, y + i);
  }
}

// Four columns at once hide the latency of their chains and share the loads of v.
template <size_t kCols>
HWY_INLINE void reflect_group(const double* v, double tau, double* row, double* block, size_t ld, size_t n) {
  const D d;
  alignas(64) double sums[kCols][kLanes];
  for (size_t lane = 0; lane < kLanes; lane += hn::Lanes(d)) {
    V c[kCols];
    for (size_t j = 0; j < kCols; ++j) c[j] = hn::Zero(d);
    for (size_t i = lane; i < n; i += kLanes) {
      const V u = hn::LoadU(d, v + i);
      for (size_t j = 0; j < kCols; ++j) c[j] = hn::MulAdd(u, hn::LoadU(d, block + j * ld + i), c[j]);
    }
    for (size_t j = 0; j < kCols; ++j) hn::Store(c[j], d, sums[j] + lane);
  }
  V step[kCols];
  for (size_t j = 0; j < kCols; ++j) {
    const double s = tau * (row[j] + tree(sums[j]));
    row[j] -= s;
    step[j] = hn::Set(d, s);
  }
  for (size_t i = 0; i < n; i += hn::Lanes(d)) {
    const V u = hn::LoadU(d, v + i);
    for (size_t j = 0; j < kCols; ++j) {
      double* p = block + j * ld + i;
      hn::StoreU(hn::NegMulAdd(step[j], u, hn::LoadU(d, p)), d, p);
    }
  }
}

void reflect(const double* v, double tau, double* row, double* block, size_t ld, size_t n, size_t cols) {
  size_t j = 0;
  for (; j + 4 <= cols; j += 4) reflect_group<4>(v, tau, row + j, block + j * ld, ld, n);
  for (; j < cols; ++j) reflect_group<1>(v, tau, row + j, block + j * ld, ld, n);
}

}  // namespace HWY_NAMESPACE
}  // namespace maas
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace maas {

HWY_EXPORT(multiply_pair);
HWY_EXPORT(rotate);
HWY_EXPORT(reflect);

PairProducts pair_products(const double* x, const double* y, size_t n) {
  return HWY_DYNAMIC_DISPATCH(multiply_pair)(x, y, n);
}

void rotate_columns(double* x, double* y, size_t n, double c, double s) {
  HWY_DYNAMIC_DISPATCH(rotate)(x, y, n, c, s);
}

void reflect_columns(const double* v, double tau, double* row, double* block, size_t ld, size_t n,
                     size_t cols) {
  HWY_DYNAMIC_DISPATCH(reflect)(v, tau, row, block, ld, n, cols);
}

}  // namespace maas
#endif  // HWY_ONCE
