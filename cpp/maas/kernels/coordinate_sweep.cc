#include "maas/kernels/coordinate_sweep.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "maas/kernels/coordinate_sweep.cc"
#include <algorithm>

#include "hwy/foreach_target.h"
#include "hwy/highway.h"

HWY_BEFORE_NAMESPACE();
namespace maas {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

HWY_INLINE double SoftThreshold(double z, double l1, bool positive) {
  if (z > l1) return z - l1;
  return z < -l1 && !positive ? z + l1 : 0.0;
}

double Sweep(const CoordinateSweep& s, const uint32_t* order) {
  const hn::CappedTag<double, kCoordinatePad> d;
  const size_t lanes = hn::Lanes(d);
  double largest = 0;
  for (size_t i = 0; i < s.size; ++i) {
    const size_t j = order == nullptr ? i : order[i];
    const double curvature = s.curvature[j];
    if (curvature == 0) continue;
    const double old = s.w[j];
    const double z = curvature * old - (s.gradient[j] + s.l2[j] * old);
    const double value = SoftThreshold(z, s.l1[j], s.positive) * s.inverse[j];
    const double change = value - old;
    if (change == 0) continue;
    s.w[j] = value;
    largest = std::max(largest, curvature * change * change);
    const auto step = hn::Set(d, change);
    const double* row = s.hessian + j * s.ld;
    for (size_t k = 0; k < s.ld; k += lanes) {
      hn::StoreU(hn::MulAdd(step, hn::LoadU(d, row + k), hn::LoadU(d, s.gradient + k)), d, s.gradient + k);
    }
  }
  return largest;
}

}  // namespace HWY_NAMESPACE
}  // namespace maas
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace maas {

HWY_EXPORT(Sweep);

double coordinate_sweep(const CoordinateSweep& sweep, const uint32_t* order) {
  return HWY_DYNAMIC_DISPATCH(Sweep)(sweep, order);
}

}  // namespace maas
#endif  // HWY_ONCE
