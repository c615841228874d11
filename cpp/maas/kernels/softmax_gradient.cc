#include "maas/kernels/softmax_gradient.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "maas/kernels/softmax_gradient.cc"
#include "hwy/foreach_target.h"
#include "maas/kernels/map-inl.h"
#include "maas/kernels/sum-inl.h"

HWY_BEFORE_NAMESPACE();
namespace maas {
namespace HWY_NAMESPACE {

template <class T>
void SoftmaxGradient(const T* p, const T* dy, size_t rows, size_t cols, size_t ld, T* out) {
  const hn::ScalableTag<T> d;
  using V = hn::Vec<decltype(d)>;
  for (size_t i = 0; i < rows; ++i, p += ld, dy += ld, out += ld) {
    const auto step = [](V sum, V a, V b) HWY_ATTR { return hn::MulAdd(a, b, sum); };
    const V mean = hn::Set(d, SumPartials(d, cols, step, p, dy));
    MapArrays(d, cols, [=](V a, V b) HWY_ATTR { return hn::Mul(a, hn::Sub(b, mean)); }, out, p, dy);
  }
}

void SoftmaxGradientF32(const float* p, const float* dy, size_t rows, size_t cols, size_t ld, float* out) {
  SoftmaxGradient(p, dy, rows, cols, ld, out);
}
void SoftmaxGradientF64(const double* p, const double* dy, size_t rows, size_t cols, size_t ld, double* out) {
  SoftmaxGradient(p, dy, rows, cols, ld, out);
}

}  // namespace HWY_NAMESPACE
}  // namespace maas
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace maas {

HWY_EXPORT(SoftmaxGradientF32);
HWY_EXPORT(SoftmaxGradientF64);

void softmax_gradient(const float* p, const float* dy, size_t rows, size_t cols, size_t ld, float* out) {
  HWY_DYNAMIC_DISPATCH(SoftmaxGradientF32)(p, dy, rows, cols, ld, out);
}
void softmax_gradient(const double* p, const double* dy, size_t rows, size_t cols, size_t ld, double* out) {
  HWY_DYNAMIC_DISPATCH(SoftmaxGradientF64)(p, dy, rows, cols, ld, out);
}

}  // namespace maas
#endif  // HWY_ONCE
