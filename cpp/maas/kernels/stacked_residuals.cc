#include "maas/kernels/stacked_residuals.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "maas/kernels/stacked_residuals.cc"
#include "hwy/foreach_target.h"
#include "hwy/highway.h"
#include "maas/kernels/math-inl.h"

HWY_BEFORE_NAMESPACE();
namespace maas {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

template <class T>
void residuals(const T* z, size_t ld, size_t outputs, const T* y, const T* weight, T* residual) {
  const hn::ScalableTag<T> d;
  const auto one = hn::Set(d, T(1));
  for (size_t o = 0; o < outputs; ++o) {
    const T* margins = z + o * ld;
    T* out = residual + o * ld;
    for (size_t i = 0; i < ld; i += hn::Lanes(d)) {
      const auto margin = hn::LoadU(d, margins + i);
      const auto label = hn::LoadU(d, y + i);
      const auto sign = hn::Sub(hn::Add(label, label), one);
      const auto e = Exp(d, hn::Neg(hn::Abs(margin)));
      const auto inverse = hn::Div(one, hn::Add(one, e));
      // sigmoid of minus the signed margin: what is missing to certainty
      const auto wrong = hn::Lt(hn::Mul(sign, margin), hn::Zero(d));
      const auto miss = hn::Mul(hn::IfThenElse(wrong, one, e), inverse);
      auto r = hn::Neg(hn::Mul(sign, miss));
      if (weight != nullptr) r = hn::Mul(r, hn::LoadU(d, weight + i));
      hn::StoreU(r, d, out + i);
    }
  }
}

void residuals_f32(const float* z, size_t ld, size_t outputs, const float* y, const float* weight,
                   float* residual) {
  residuals(z, ld, outputs, y, weight, residual);
}
void residuals_f64(const double* z, size_t ld, size_t outputs, const double* y, const double* weight,
                   double* residual) {
  residuals(z, ld, outputs, y, weight, residual);
}

}  // namespace HWY_NAMESPACE
}  // namespace maas
HWY_AFTER_NAMESPACE();

#if HWY_ONCE

namespace maas {

HWY_EXPORT(residuals_f32);
HWY_EXPORT(residuals_f64);

void logistic_residuals(const float* z, size_t ld, size_t outputs, const float* y, const float* weight,
                        float* residual) {
  HWY_DYNAMIC_DISPATCH(residuals_f32)(z, ld, outputs, y, weight, residual);
}
void logistic_residuals(const double* z, size_t ld, size_t outputs, const double* y, const double* weight,
                        double* residual) {
  HWY_DYNAMIC_DISPATCH(residuals_f64)(z, ld, outputs, y, weight, residual);
}

}  // namespace maas
#endif  // HWY_ONCE
