#include "maas/kernels/norm_gradient.h"

#include <cmath>
#include <type_traits>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "maas/kernels/norm_gradient.cc"
#include "hwy/foreach_target.h"
#include "maas/kernels/map-inl.h"
#include "maas/kernels/sum-inl.h"

HWY_BEFORE_NAMESPACE();
namespace maas {
namespace HWY_NAMESPACE {

using DoubleTag = hn::ScalableTag<double>;
using DoubleVec = hn::Vec<DoubleTag>;

HWY_INLINE void StoreAs(DoubleTag d, DoubleVec v, double* p) { hn::StoreU(v, d, p); }
HWY_INLINE void StoreAs(DoubleTag, DoubleVec v, float* p) {
  const hn::Rebind<float, DoubleTag> narrow;
  hn::StoreU(hn::DemoteTo(narrow, v), narrow, p);
}

// fn(j, kVectors) over groups of four vectors of doubles while there are any, then single ones: enough chains
// to hide the latency of additions.
template <class Fn>
HWY_INLINE void ForColumnGroups(size_t cols, Fn fn) {
  constexpr size_t kGroup = 4;
  const size_t lanes = hn::Lanes(DoubleTag());
  size_t j = 0;
  for (; j + (kGroup - 1) * lanes < cols; j += kGroup * lanes) {
    fn(j, std::integral_constant<size_t, kGroup>());
  }
  for (; j < cols; j += lanes) fn(j, std::integral_constant<size_t, 1>());
}

// Chan et al., "Algorithms for computing the sample variance" (1983), eq. 1.7: the corrected two-pass form.
template <class T>
void ColumnMoments(const NormRows<T>& of, T* mean, T* variance) {
  const DoubleTag d;
  const size_t lanes = hn::Lanes(d);
  const DoubleVec count = hn::Set(d, static_cast<double>(of.rows));
  ForColumnGroups(of.cols, [&](size_t j, auto vectors) HWY_ATTR {
    constexpr size_t kVectors = decltype(vectors)::value;
    DoubleVec centre[kVectors], rest[kVectors], squares[kVectors];
    for (size_t v = 0; v < kVectors; ++v) centre[v] = rest[v] = squares[v] = hn::Zero(d);
    for (size_t i = 0; i < of.rows; ++i) {
      const T* x = of.x + i * of.ld + j;
      for (size_t v = 0; v < kVectors; ++v) centre[v] = hn::Add(centre[v], LoadAs(d, x + v * lanes));
    }
    for (size_t v = 0; v < kVectors; ++v) centre[v] = hn::Div(centre[v], count);
    for (size_t i = 0; i < of.rows; ++i) {
      const T* x = of.x + i * of.ld + j;
      for (size_t v = 0; v < kVectors; ++v) {
        const DoubleVec difference = hn::Sub(LoadAs(d, x + v * lanes), centre[v]);
        rest[v] = hn::Add(rest[v], difference);
        squares[v] = hn::MulAdd(difference, difference, squares[v]);
      }
    }
    for (size_t v = 0; v < kVectors; ++v) {
      const DoubleVec missed = hn::Div(rest[v], count);
      const DoubleVec spread = hn::Sub(squares[v], hn::Mul(missed, rest[v]));
      StoreAs(d, hn::Add(centre[v], missed), mean + j + v * lanes);
      StoreAs(d, hn::IfThenZeroElse(hn::Lt(spread, hn::Zero(d)), hn::Div(spread, count)),
              variance + j + v * lanes);
    }
  });
}

template <class T>
void BatchNormSums(const NormRows<T>& of, const T* mean, const T* deviation, T* sum, T* product) {
  const DoubleTag d;
  const size_t lanes = hn::Lanes(d);
  ForColumnGroups(of.cols, [&](size_t j, auto vectors) HWY_ATTR {
    constexpr size_t kVectors = decltype(vectors)::value;
    DoubleVec centre[kVectors], sums[kVectors], products[kVectors];
    for (size_t v = 0; v < kVectors; ++v) {
      centre[v] = LoadAs(d, mean + j + v * lanes);
      sums[v] = products[v] = hn::Zero(d);
    }
    for (size_t i = 0; i < of.rows; ++i) {
      const size_t at = i * of.ld + j;
      for (size_t v = 0; v < kVectors; ++v) {
        const DoubleVec dy = LoadAs(d, of.dy + at + v * lanes);
        sums[v] = hn::Add(sums[v], dy);
        products[v] = hn::MulAdd(dy, hn::Sub(LoadAs(d, of.x + at + v * lanes), centre[v]), products[v]);
      }
    }
    for (size_t v = 0; v < kVectors; ++v) {
      StoreAs(d, sums[v], sum + j + v * lanes);
      StoreAs(d, hn::Div(products[v], LoadAs(d, deviation + j + v * lanes)), product + j + v * lanes);
    }
  });
}

template <class T>
void LayerNormSums(const NormRows<T>& of, const T* mean, const T* inverse, T* sum, T* product) {
  const DoubleTag d;
  const size_t lanes = hn::Lanes(d);
  ForColumnGroups(of.cols, [&](size_t j, auto vectors) HWY_ATTR {
    constexpr size_t kVectors = decltype(vectors)::value;
    DoubleVec sums[kVectors], products[kVectors];
    for (size_t v = 0; v < kVectors; ++v) sums[v] = products[v] = hn::Zero(d);
    for (size_t i = 0; i < of.rows; ++i) {
      const size_t at = i * of.ld + j;
      const DoubleVec centre = hn::Set(d, static_cast<double>(mean[i]));
      const DoubleVec factor = hn::Set(d, static_cast<double>(inverse[i]));
      for (size_t v = 0; v < kVectors; ++v) {
        const DoubleVec dy = LoadAs(d, of.dy + at + v * lanes);
        const DoubleVec normal = hn::Mul(hn::Sub(LoadAs(d, of.x + at + v * lanes), centre), factor);
        sums[v] = hn::Add(sums[v], dy);
        products[v] = hn::MulAdd(dy, normal, products[v]);
      }
    }
    for (size_t v = 0; v < kVectors; ++v) {
      StoreAs(d, sums[v], sum + j + v * lanes);
      StoreAs(d, products[v], product + j + v * lanes);
    }
  });
}

template <class T>
void BatchNormInput(const NormRows<T>& of, const BatchNormSlope<T>& slope, T* out) {
  const hn::ScalableTag<T> d;
  using V = hn::Vec<decltype(d)>;
  const auto sloped = [](V x, V dy, V mean, V by_dy, V by_x, V shift) HWY_ATTR {
    return hn::MulAdd(dy, by_dy, hn::MulAdd(hn::Sub(x, mean), by_x, shift));
  };
  for (size_t i = 0; i < of.rows; ++i) {
    const size_t at = i * of.ld;
    MapArrays(d, of.cols, sloped, out + at, of.x + at, of.dy + at, slope.mean, slope.by_dy, slope.by_x,
              slope.shift);
  }
}

// With n = (x - mean) inverse and g = dy scale: out = inverse (g - mean of g - n × mean of g n).
template <class T>
void LayerNormInput(const NormRows<T>& of, size_t i, const T* scale, const T* centred, T inverse, T* out) {
  const hn::ScalableTag<T> d;
  using V = hn::Vec<decltype(d)>;
  const T count = static_cast<T>(of.cols);
  const T* dy = of.dy + i * of.ld;
  const auto add = [](V acc, V g, V s) HWY_ATTR { return hn::MulAdd(g, s, acc); };
  const auto add_product = [](V acc, V g, V s, V c) HWY_ATTR { return hn::MulAdd(hn::Mul(g, s), c, acc); };
  const T mean = SumPartials(d, of.cols, add, dy, scale) / count;
  const T slope = SumPartials(d, of.cols, add_product, dy, scale, centred) / count * inverse * inverse;
  const V means = hn::Set(d, mean), slopes = hn::Set(d, slope), factor = hn::Set(d, inverse);
  const auto gradient = [=](V g, V s, V c) HWY_ATTR {
    return hn::Mul(factor, hn::NegMulAdd(c, slopes, hn::Sub(hn::Mul(g, s), means)));
  };
  MapArrays(d, of.cols, gradient, out + i * of.ld, dy, scale, centred);
}

template <class T>
void LayerNormGradient(const NormRows<T>& of, const T* scale, T epsilon, T* centred, T* mean, T* inverse,
                       T* out) {
  const hn::ScalableTag<T> d;
  using V = hn::Vec<decltype(d)>;
  const T count = static_cast<T>(of.cols);
  for (size_t i = 0; i < of.rows; ++i) {
    const T* x = of.x + i * of.ld;
    mean[i] = SumPartials(d, of.cols, [](V acc, V v) HWY_ATTR { return hn::Add(acc, v); }, x) / count;
    const V means = hn::Set(d, mean[i]);
    MapArrays(d, of.cols, [=](V v) HWY_ATTR { return hn::Sub(v, means); }, centred, x);
    const auto square = [](V acc, V v) HWY_ATTR { return hn::MulAdd(v, v, acc); };
    const T variance = SumPartials(d, of.cols, square, static_cast<const T*>(centred)) / count;
    inverse[i] = T(1) / std::sqrt(variance + epsilon);
    if (out != nullptr) LayerNormInput(of, i, scale, static_cast<const T*>(centred), inverse[i], out);
  }
}

template <class T>
void ScaleGradient(const NormRows<T>& of, const FeatureScale<T>& by, T* out) {
  const hn::ScalableTag<T> d;
  using V = hn::Vec<decltype(d)>;
  const bool divide = by.by == ScaleBy::kDivide;
  const auto scaled = [divide](V g, V s) HWY_ATTR { return divide ? hn::Div(g, s) : hn::Mul(g, s); };
  for (size_t i = 0; i < of.rows; ++i)
    MapArrays(d, of.cols, scaled, out + i * of.ld, of.dy + i * of.ld, by.scale);
}

template <class T>
NormGradientFns<T> Gradients() {
  return {ColumnMoments<T>,     BatchNormSums<T>, BatchNormInput<T>,
          LayerNormGradient<T>, LayerNormSums<T>, ScaleGradient<T>};
}
NormGradientFns<float> GradientsF32() { return Gradients<float>(); }
NormGradientFns<double> GradientsF64() { return Gradients<double>(); }

}  // namespace HWY_NAMESPACE
}  // namespace maas
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace maas {

HWY_EXPORT(GradientsF32);
HWY_EXPORT(GradientsF64);

template <>
NormGradientFns<float> find_norm_gradients() {
  return HWY_DYNAMIC_DISPATCH(GradientsF32)();
}
template <>
NormGradientFns<double> find_norm_gradients() {
  return HWY_DYNAMIC_DISPATCH(GradientsF64)();
}

}  // namespace maas
#endif  // HWY_ONCE
