#include "maas/kernels/elementwise.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "maas/kernels/elementwise.cc"
#include "hwy/foreach_target.h"
#include "maas/kernels/map-inl.h"
#include "maas/kernels/math-inl.h"

HWY_BEFORE_NAMESPACE();
namespace maas {
namespace HWY_NAMESPACE {

template <class T>
void UnaryLoop(UnaryOp op, const T* x, size_t n, T* out) {
  const hn::ScalableTag<T> d;
  using V = hn::Vec<decltype(d)>;
  switch (op) {
    case UnaryOp::kExp:
      return MapArrays(
          d, n, [d](V v) { return Exp(d, v); }, out, x);
    case UnaryOp::kExpm1:
      return MapArrays(
          d, n, [d](V v) { return Expm1(d, v); }, out, x);
    case UnaryOp::kLog:
      return MapArrays(
          d, n, [d](V v) { return Log(d, v); }, out, x);
    case UnaryOp::kLog1p:
      return MapArrays(
          d, n, [d](V v) { return Log1p(d, v); }, out, x);
    case UnaryOp::kSigmoid:
      return MapArrays(
          d, n, [d](V v) { return Sigmoid(d, v); }, out, x);
    case UnaryOp::kTanh:
      return MapArrays(
          d, n, [d](V v) { return Tanh(d, v); }, out, x);
    case UnaryOp::kSoftplus:
      return MapArrays(
          d, n, [d](V v) { return Softplus(d, v); }, out, x);
  }
}

void UnaryF32(UnaryOp op, const float* x, size_t n, float* out) { UnaryLoop(op, x, n, out); }
void UnaryF64(UnaryOp op, const double* x, size_t n, double* out) { UnaryLoop(op, x, n, out); }

}  // namespace HWY_NAMESPACE
}  // namespace maas
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace maas {

HWY_EXPORT(UnaryF32);
HWY_EXPORT(UnaryF64);

void map_unary(UnaryOp op, const float* x, size_t n, float* out) {
  HWY_DYNAMIC_DISPATCH(UnaryF32)(op, x, n, out);
}
void map_unary(UnaryOp op, const double* x, size_t n, double* out) {
  HWY_DYNAMIC_DISPATCH(UnaryF64)(op, x, n, out);
}

}  // namespace maas
#endif  // HWY_ONCE
