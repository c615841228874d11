#include "maas/kernels/loss.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "maas/kernels/loss.cc"
#include "hwy/foreach_target.h"
#include "hwy/highway.h"
#include "maas/kernels/lane_tree-inl.h"
#include "maas/kernels/loss-inl.h"

HWY_BEFORE_NAMESPACE();
namespace maas {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

// Adds a vector of per-row values to the partials its rows belong to.
template <class D, class V = hn::Vec<D>, class T = hn::TFromD<D>>
HWY_INLINE void add_partials(D d, V value, size_t row, T* partials) {
  T* at = partials + row % kPartials<T>;
  hn::Store(hn::Add(hn::Load(d, at), value), d, at);
}

template <class L, class T>
double rows(const T* z, const T* y, const T* weight, size_t n, T* residual, T* curvature) {
  const hn::ScalableTag<T> d;
  HWY_ALIGN T partials[kPartials<T>] = {};
  for (size_t i = 0; i < n; i += hn::Lanes(d)) {
    auto terms = L::eval(d, hn::LoadU(d, z + i), hn::LoadU(d, y + i));
    if (weight != nullptr) {
      const auto w = hn::LoadU(d, weight + i);
      terms = {hn::Mul(terms.value, w), hn::Mul(terms.residual, w), hn::Mul(terms.curvature, w)};
    }
    add_partials(d, terms.value, i, partials);
    hn::StoreU(terms.residual, d, residual + i);
    if (curvature != nullptr) hn::StoreU(terms.curvature, d, curvature + i);
  }
  return lane_tree(partials);
}

template <class T>
double rows_of(Loss loss, const T* z, const T* y, const T* weight, size_t n, T* residual, T* curvature) {
  switch (loss) {
    case Loss::kSquared: return rows<SquaredLoss>(z, y, weight, n, residual, curvature);
    case Loss::kLogistic: return rows<LogisticLoss>(z, y, weight, n, residual, curvature);
    case Loss::kPoisson: return rows<PoissonLoss>(z, y, weight, n, residual, curvature);
    case Loss::kSquaredHinge: return rows<SquaredHingeLoss>(z, y, weight, n, residual, curvature);
    case Loss::kSoftmax: break;  // needs all classes at once: softmax_rows
  }
  return 0;
}

template <class T>
double softmax(T* z, size_t ld, size_t classes, const T* y, const T* weight, size_t n, T* residual) {
  const hn::ScalableTag<T> d;
  using V = hn::Vec<decltype(d)>;
  HWY_ALIGN T partials[kPartials<T>] = {};
  for (size_t i = 0; i < n; i += hn::Lanes(d)) {
    const V label = hn::LoadU(d, y + i);
    V top = hn::LoadU(d, z + i);
    V of_label = top;  // margin of the row's own class; label 0 unless found below
    for (size_t k = 1; k < classes; ++k) {
      const V margin = hn::LoadU(d, z + k * ld + i);
      top = hn::Max(top, margin);
      of_label = hn::IfThenElse(hn::Eq(label, hn::Set(d, static_cast<T>(k))), margin, of_label);
    }
    V sum = hn::Zero(d);
    for (size_t k = 0; k < classes; ++k) {
      const V e = Exp(d, hn::Sub(hn::LoadU(d, z + k * ld + i), top));
      hn::StoreU(e, d, z + k * ld + i);
      sum = hn::Add(sum, e);
    }
    const V one = hn::Set(d, T(1));
    const V w = weight != nullptr ? hn::LoadU(d, weight + i) : one;
    const V inverse = hn::Div(one, sum);
    for (size_t k = 0; k < classes; ++k) {
      const V p = hn::Mul(hn::LoadU(d, z + k * ld + i), inverse);
      hn::StoreU(p, d, z + k * ld + i);
      if (residual == nullptr) continue;
      const auto own = hn::Eq(label, hn::Set(d, static_cast<T>(k)));
      hn::StoreU(hn::Mul(w, hn::IfThenElse(own, hn::Sub(p, one), p)), d, residual + k * ld + i);
    }
    add_partials(d, hn::Mul(w, hn::Add(hn::Sub(top, of_label), Log(d, sum))), i, partials);
  }
  return lane_tree(partials);
}

template <class T>
void curvature_of(const T* p, const T* q, bool same, const T* weight, size_t n, T* curvature) {
  const hn::ScalableTag<T> d;
  const auto diagonal = hn::Set(d, same ? T(1) : T(0));
  for (size_t i = 0; i < n; i += hn::Lanes(d)) {
    auto c = hn::Mul(hn::LoadU(d, p + i), hn::Sub(diagonal, hn::LoadU(d, q + i)));
    if (weight != nullptr) c = hn::Mul(c, hn::LoadU(d, weight + i));
    hn::StoreU(c, d, curvature + i);
  }
}

double rows_f32(Loss loss, const float* z, const float* y, const float* weight, size_t n, float* residual,
                float* curvature) {
  return rows_of(loss, z, y, weight, n, residual, curvature);
}
double rows_f64(Loss loss, const double* z, const double* y, const double* weight, size_t n, double* residual,
                double* curvature) {
  return rows_of(loss, z, y, weight, n, residual, curvature);
}
double softmax_f32(float* z, size_t ld, size_t classes, const float* y, const float* weight, size_t n,
                   float* residual) {
  return softmax(z, ld, classes, y, weight, n, residual);
}
double softmax_f64(double* z, size_t ld, size_t classes, const double* y, const double* weight, size_t n,
                   double* residual) {
  return softmax(z, ld, classes, y, weight, n, residual);
}
void curvature_f32(const float* p, const float* q, bool same, const float* weight, size_t n,
                   float* curvature) {
  curvature_of(p, q, same, weight, n, curvature);
}
void curvature_f64(const double* p, const double* q, bool same, const double* weight, size_t n,
                   double* curvature) {
  curvature_of(p, q, same, weight, n, curvature);
}

}  // namespace HWY_NAMESPACE
}  // namespace maas
HWY_AFTER_NAMESPACE();

#if HWY_ONCE

namespace maas {

HWY_EXPORT(rows_f32);
HWY_EXPORT(rows_f64);
HWY_EXPORT(softmax_f32);
HWY_EXPORT(softmax_f64);
HWY_EXPORT(curvature_f32);
HWY_EXPORT(curvature_f64);

double loss_rows(Loss loss, const float* z, const float* y, const float* weight, size_t n, float* residual,
                 float* curvature) {
  return HWY_DYNAMIC_DISPATCH(rows_f32)(loss, z, y, weight, n, residual, curvature);
}
double loss_rows(Loss loss, const double* z, const double* y, const double* weight, size_t n,
                 double* residual, double* curvature) {
  return HWY_DYNAMIC_DISPATCH(rows_f64)(loss, z, y, weight, n, residual, curvature);
}
double softmax_rows(float* z, size_t ld, size_t classes, const float* y, const float* weight, size_t n,
                    float* residual) {
  return HWY_DYNAMIC_DISPATCH(softmax_f32)(z, ld, classes, y, weight, n, residual);
}
double softmax_rows(double* z, size_t ld, size_t classes, const double* y, const double* weight, size_t n,
                    double* residual) {
  return HWY_DYNAMIC_DISPATCH(softmax_f64)(z, ld, classes, y, weight, n, residual);
}
void softmax_curvature(const float* p, const float* q, bool same, const float* weight, size_t n,
                       float* curvature) {
  HWY_DYNAMIC_DISPATCH(curvature_f32)(p, q, same, weight, n, curvature);
}
void softmax_curvature(const double* p, const double* q, bool same, const double* weight, size_t n,
                       double* curvature) {
  HWY_DYNAMIC_DISPATCH(curvature_f64)(p, q, same, weight, n, curvature);
}

}  // namespace maas
#endif  // HWY_ONCE
