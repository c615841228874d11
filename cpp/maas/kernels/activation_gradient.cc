#include "maas/kernels/activation_gradient.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "maas/kernels/activation_gradient.cc"
#include "hwy/foreach_target.h"
#include "maas/kernels/activation_gradient-inl.h"
#include "maas/kernels/map-inl.h"

HWY_BEFORE_NAMESPACE();
namespace maas {
namespace HWY_NAMESPACE {

// One loop a function: Fn::of(d, value, dy, p, q).
template <class Fn, class T>
void MapGradient(size_t n, const T* value, const T* dy, T* out, T p, T q) {
  const hn::ScalableTag<T> d;
  using V = hn::Vec<decltype(d)>;
  const V vp = hn::Set(d, p), vq = hn::Set(d, q);
  MapArrays(d, n, [=](V v, V g) HWY_ATTR { return Fn::of(d, v, g, vp, vq); }, out, value, dy);
}

#define MAAS_GRADIENT(name, expression)               \
  struct name##Gradient {                             \
    template <class D, class V>                       \
    static HWY_INLINE V of(D d, V v, V g, V p, V q) { \
      (void)d, (void)p, (void)q;                      \
      return expression;                              \
    }                                                 \
  }

// `v` is the output.
MAAS_GRADIENT(Relu, hn::IfThenZeroElse(hn::Le(v, hn::Zero(d)), g));
MAAS_GRADIENT(LeakyRelu, BySign(d, v, g, hn::Mul(g, p)));
MAAS_GRADIENT(Elu, hn::Mul(g, EluSlope(d, v, p)));
MAAS_GRADIENT(Selu, hn::Mul(g, SeluSlope(d, v, p, q)));
MAAS_GRADIENT(Celu, hn::Mul(g, CeluSlope(d, v, p)));
MAAS_GRADIENT(Sigmoid, hn::Mul(g, SigmoidSlope(d, v)));
MAAS_GRADIENT(Tanh, hn::Mul(g, TanhSlope(d, v)));
MAAS_GRADIENT(Softplus, hn::Mul(g, SoftplusSlope(d, v)));
MAAS_GRADIENT(Exp, hn::Mul(g, v));
// `v` is the input.
MAAS_GRADIENT(Gelu, hn::Mul(g, GeluSlope(d, v)));
MAAS_GRADIENT(GeluTanh, hn::Mul(g, GeluTanhSlope(d, v)));
MAAS_GRADIENT(Silu, hn::Mul(g, SiluSlope(d, v)));
MAAS_GRADIENT(Softsign, hn::Mul(g, SoftsignSlope(d, v)));
MAAS_GRADIENT(HardSigmoid, hn::Mul(g, HardSigmoidSlope(d, v, p, q)));
MAAS_GRADIENT(HardSwish, hn::Mul(g, HardSwishSlope(d, v)));
MAAS_GRADIENT(Mish, hn::Mul(g, MishSlope(d, v)));
MAAS_GRADIENT(ThresholdedRelu, hn::IfThenElseZero(hn::Gt(v, p), g));
MAAS_GRADIENT(Clip, hn::Mul(g, ClipSlope(d, v, p, q)));

#undef MAAS_GRADIENT

template <class T>
MapFn<T> FindGradient(MapOp op) {
  switch (op) {
    case MapOp::kRelu: return MapGradient<ReluGradient, T>;
    case MapOp::kLeakyRelu: return MapGradient<LeakyReluGradient, T>;
    case MapOp::kElu: return MapGradient<EluGradient, T>;
    case MapOp::kSelu: return MapGradient<SeluGradient, T>;
    case MapOp::kCelu: return MapGradient<CeluGradient, T>;
    case MapOp::kSigmoid: return MapGradient<SigmoidGradient, T>;
    case MapOp::kTanh: return MapGradient<TanhGradient, T>;
    case MapOp::kSoftplus: return MapGradient<SoftplusGradient, T>;
    case MapOp::kExp: return MapGradient<ExpGradient, T>;
    case MapOp::kGelu: return MapGradient<GeluGradient, T>;
    case MapOp::kGeluTanh: return MapGradient<GeluTanhGradient, T>;
    case MapOp::kSilu: return MapGradient<SiluGradient, T>;
    case MapOp::kSoftsign: return MapGradient<SoftsignGradient, T>;
    case MapOp::kHardSigmoid: return MapGradient<HardSigmoidGradient, T>;
    case MapOp::kHardSwish: return MapGradient<HardSwishGradient, T>;
    case MapOp::kMish: return MapGradient<MishGradient, T>;
    case MapOp::kThresholdedRelu: return MapGradient<ThresholdedReluGradient, T>;
    case MapOp::kClip: return MapGradient<ClipGradient, T>;
    default: return nullptr;
  }
}

MapFn<float> FindGradientF32(MapOp op) { return FindGradient<float>(op); }
MapFn<double> FindGradientF64(MapOp op) { return FindGradient<double>(op); }

}  // namespace HWY_NAMESPACE
}  // namespace maas
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace maas {

HWY_EXPORT(FindGradientF32);
HWY_EXPORT(FindGradientF64);

template <>
MapFn<float> find_activation_gradient(MapOp op) {
  return HWY_DYNAMIC_DISPATCH(FindGradientF32)(op);
}
template <>
MapFn<double> find_activation_gradient(MapOp op) {
  return HWY_DYNAMIC_DISPATCH(FindGradientF64)(op);
}

bool gradient_from_output(MapOp op) {
  switch (op) {
    case MapOp::kRelu:
    case MapOp::kLeakyRelu:
    case MapOp::kElu:
    case MapOp::kSelu:
    case MapOp::kCelu:
    case MapOp::kSigmoid:
    case MapOp::kTanh:
    case MapOp::kSoftplus:
    case MapOp::kExp: return true;
    default: return false;
  }
}

bool has_gradient(MapOp op) { return find_activation_gradient<float>(op) != nullptr; }

void activation_gradient(MapOp op, size_t n, const float* value, const float* dy, float* out, float p,
                         float q) {
  find_activation_gradient<float>(op)(n, value, dy, out, p, q);
}
void activation_gradient(MapOp op, size_t n, const double* value, const double* dy, double* out, double p,
                         double q) {
  find_activation_gradient<double>(op)(n, value, dy, out, p, q);
}

}  // namespace maas
#endif  // HWY_ONCE
