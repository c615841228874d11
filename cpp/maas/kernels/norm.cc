#include "maas/kernels/norm.h"

#include <cmath>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "maas/kernels/norm.cc"
#include "hwy/foreach_target.h"
#include "maas/kernels/activation-inl.h"
#include "maas/kernels/map-inl.h"
#include "maas/kernels/sum-inl.h"

HWY_BEFORE_NAMESPACE();
namespace maas {
namespace HWY_NAMESPACE {

template <class D, class V = hn::Vec<D>>
HWY_INLINE V Normalize(D d, V x, V mean, V deviation, V scale, V shift) {
  return Canonical(d, hn::MulAdd(hn::Div(hn::Sub(x, mean), deviation), scale, shift));
}

template <class T>
void ScaleRows(const FeatureScale<T>& by, const T* x, size_t rows, size_t cols, size_t ldx, T* out,
               size_t ldo) {
  const hn::ScalableTag<T> d;
  using V = hn::Vec<decltype(d)>;
  const bool divide = by.by == ScaleBy::kDivide;
  const auto scaled = [=](V v, V offset, V scale) HWY_ATTR {
    const V shifted = hn::Sub(v, offset);
    return Canonical(d, divide ? hn::Div(shifted, scale) : hn::Mul(shifted, scale));
  };
  for (size_t i = 0; i < rows; ++i)
    MapArrays(d, cols, scaled, out + i * ldo, x + i * ldx, by.offset, by.scale);
}

template <class T>
void BatchNormRows(const BatchNorm<T>& by, const T* x, size_t rows, size_t cols, size_t ldx, T* out,
                   size_t ldo) {
  const hn::ScalableTag<T> d;
  using V = hn::Vec<decltype(d)>;
  const auto normal = [d](V v, V mean, V deviation, V scale, V shift)
                          HWY_ATTR { return Normalize(d, v, mean, deviation, scale, shift); };
  for (size_t i = 0; i < rows; ++i) {
    MapArrays(d, cols, normal, out + i * ldo, x + i * ldx, by.mean, by.deviation, by.scale, by.shift);
  }
}

template <class T>
void BatchNormChannels(const BatchNorm<T>& by, const T* x, size_t rows, size_t channels, size_t inner,
                       T* out) {
  const hn::ScalableTag<T> d;
  using V = hn::Vec<decltype(d)>;
  if (inner == 1) return BatchNormRows(by, x, rows, channels, channels, out, channels);
  for (size_t i = 0; i < rows * channels; ++i, x += inner, out += inner) {
    const size_t c = i % channels;
    const V mean = hn::Set(d, by.mean[c]), deviation = hn::Set(d, by.deviation[c]);
    const V scale = hn::Set(d, by.scale[c]), shift = hn::Set(d, by.shift[c]);
    const auto normal = [=](V v) HWY_ATTR { return Normalize(d, v, mean, deviation, scale, shift); };
    MapArrays(d, inner, normal, out, x);
  }
}

// The differences go to `out` first: SumPartials pads with zeros, which must stay zeros when squared.
template <class T>
void LayerNormRows(const T* x, size_t rows, size_t cols, const T* scale, const T* bias, T epsilon, T* out) {
  const hn::ScalableTag<T> d;
  using V = hn::Vec<decltype(d)>;
  const T count = static_cast<T>(cols);
  for (size_t i = 0; i < rows; ++i, x += cols, out += cols) {
    const T mean = SumPartials(d, cols, [](V acc, V v) HWY_ATTR { return hn::Add(acc, v); }, x) / count;
    const V means = hn::Set(d, mean);
    MapArrays(d, cols, [=](V v) HWY_ATTR { return hn::Sub(v, means); }, out, x);
    const auto square = [](V acc, V v) HWY_ATTR { return hn::MulAdd(v, v, acc); };
    const T variance = SumPartials(d, cols, square, static_cast<const T*>(out)) / count;
    const V deviation = hn::Set(d, std::sqrt(variance + epsilon));
    const auto scaled = [=](V v, V s) HWY_ATTR { return Canonical(d, hn::Mul(hn::Div(v, deviation), s)); };
    const auto shifted = [=](V v, V s, V b)
                             HWY_ATTR { return Canonical(d, hn::MulAdd(hn::Div(v, deviation), s, b)); };
    const T* centred = out;
    if (bias == nullptr) {
      MapArrays(d, cols, scaled, out, centred, scale);
    } else {
      MapArrays(d, cols, shifted, out, centred, scale, bias);
    }
  }
}

template <class T>
NormFns<T> Norms() {
  return {ScaleRows<T>, BatchNormRows<T>, BatchNormChannels<T>, LayerNormRows<T>};
}
NormFns<float> NormsF32() { return Norms<float>(); }
NormFns<double> NormsF64() { return Norms<double>(); }

}  // namespace HWY_NAMESPACE
}  // namespace maas
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace maas {

HWY_EXPORT(NormsF32);
HWY_EXPORT(NormsF64);

template <>
NormFns<float> find_norms() {
  return HWY_DYNAMIC_DISPATCH(NormsF32)();
}
template <>
NormFns<double> find_norms() {
  return HWY_DYNAMIC_DISPATCH(NormsF64)();
}

void norm_deviation(const float* variance, size_t n, float epsilon, float* out) {
  for (size_t i = 0; i < n; ++i) out[i] = std::sqrt(variance[i] + epsilon);
}
void norm_deviation(const double* variance, size_t n, double epsilon, double* out) {
  for (size_t i = 0; i < n; ++i) out[i] = std::sqrt(variance[i] + epsilon);
}

}  // namespace maas
#endif  // HWY_ONCE
