#include "maas/kernels/elementwise.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "maas/kernels/elementwise.cc"
#include "hwy/foreach_target.h"
#include "maas/kernels/map-inl.h"
#include "maas/kernels/math-inl.h"

HWY_BEFORE_NAMESPACE();
namespace maas {
namespace HWY_NAMESPACE {

// Highway's Max and Min treat NaN and zeros as the target does; these select explicitly.
template <class D, class V = hn::Vec<D>>
HWY_INLINE V KeepNaN(D d, V a, V result) {
  return hn::IfThenElse(hn::IsNaN(a), CanonicalNaN(d), result);
}
template <class D, class V = hn::Vec<D>>
HWY_INLINE V SelectMax(D d, V a, V b) {
  return KeepNaN(d, a, KeepNaN(d, b, hn::IfThenElse(hn::Gt(a, b), a, b)));
}
template <class D, class V = hn::Vec<D>>
HWY_INLINE V SelectMin(D d, V a, V b) {
  return KeepNaN(d, a, KeepNaN(d, b, hn::IfThenElse(hn::Lt(a, b), a, b)));
}

template <class T>
void MapOne(MapOp op, size_t n, const T* x, T* out, T p, T q) {
  const hn::ScalableTag<T> d;
  using V = hn::Vec<decltype(d)>;
  const V low = hn::Set(d, p), high = hn::Set(d, q);
  switch (op) {
    case MapOp::kExp: return MapArrays(d, n, [d](V v) HWY_ATTR { return Exp(d, v); }, out, x);
    case MapOp::kExpm1: return MapArrays(d, n, [d](V v) HWY_ATTR { return Expm1(d, v); }, out, x);
    case MapOp::kLog: return MapArrays(d, n, [d](V v) HWY_ATTR { return Log(d, v); }, out, x);
    case MapOp::kLog1p: return MapArrays(d, n, [d](V v) HWY_ATTR { return Log1p(d, v); }, out, x);
    case MapOp::kSigmoid: return MapArrays(d, n, [d](V v) HWY_ATTR { return Sigmoid(d, v); }, out, x);
    case MapOp::kTanh: return MapArrays(d, n, [d](V v) HWY_ATTR { return Tanh(d, v); }, out, x);
    case MapOp::kErf: return MapArrays(d, n, [d](V v) HWY_ATTR { return Erf(d, v); }, out, x);
    case MapOp::kSoftplus: return MapArrays(d, n, [d](V v) HWY_ATTR { return Softplus(d, v); }, out, x);
    case MapOp::kRelu:
      return MapArrays(d, n, [d](V v) HWY_ATTR { return SelectMax(d, v, hn::Zero(d)); }, out, x);
    case MapOp::kClip:
      return MapArrays(d, n, [=](V v) HWY_ATTR { return SelectMin(d, SelectMax(d, v, low), high); }, out, x);
    default:  // kScaleShift
      return MapArrays(d, n, [=](V v) HWY_ATTR { return hn::MulAdd(low, v, high); }, out, x);
  }
}

template <class T>
void MapTwo(MapOp op, size_t n, const T* x, const T* y, T* out, T p) {
  const hn::ScalableTag<T> d;
  using V = hn::Vec<decltype(d)>;
  const V factor = hn::Set(d, p);
  switch (op) {
    case MapOp::kMax:
      return MapArrays(d, n, [d](V a, V b) HWY_ATTR { return SelectMax(d, a, b); }, out, x, y);
    case MapOp::kMin:
      return MapArrays(d, n, [d](V a, V b) HWY_ATTR { return SelectMin(d, a, b); }, out, x, y);
    case MapOp::kAxpy:
      return MapArrays(d, n, [=](V a, V b) HWY_ATTR { return hn::MulAdd(factor, a, b); }, out, x, y);
    case MapOp::kAdd: return MapArrays(d, n, [](V a, V b) HWY_ATTR { return hn::Add(a, b); }, out, x, y);
    case MapOp::kSubtract: return MapArrays(d, n, [](V a, V b) HWY_ATTR { return hn::Sub(a, b); }, out, x, y);
    case MapOp::kMultiply: return MapArrays(d, n, [](V a, V b) HWY_ATTR { return hn::Mul(a, b); }, out, x, y);
    default:  // kDivide
      return MapArrays(d, n, [](V a, V b) HWY_ATTR { return hn::Div(a, b); }, out, x, y);
  }
}

template <class T>
void MapAny(MapOp op, size_t n, const T* x, const T* y, T* out, T p, T q) {
  switch (op) {
    case MapOp::kMax:
    case MapOp::kMin:
    case MapOp::kAxpy:
    case MapOp::kAdd:
    case MapOp::kSubtract:
    case MapOp::kMultiply:
    case MapOp::kDivide: return MapTwo(op, n, x, y, out, p);
    default: return MapOne(op, n, x, out, p, q);
  }
}

void MapF32(MapOp op, size_t n, const float* x, const float* y, float* out, float p, float q) {
  MapAny(op, n, x, y, out, p, q);
}
void MapF64(MapOp op, size_t n, const double* x, const double* y, double* out, double p, double q) {
  MapAny(op, n, x, y, out, p, q);
}

}  // namespace HWY_NAMESPACE
}  // namespace maas
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace maas {

HWY_EXPORT(MapF32);
HWY_EXPORT(MapF64);

void map_arrays(MapOp op, size_t n, const float* x, const float* y, float* out, float p, float q) {
  HWY_DYNAMIC_DISPATCH(MapF32)(op, n, x, y, out, p, q);
}
void map_arrays(MapOp op, size_t n, const double* x, const double* y, double* out, double p, double q) {
  HWY_DYNAMIC_DISPATCH(MapF64)(op, n, x, y, out, p, q);
}

}  // namespace maas
#endif  // HWY_ONCE
