#include "maas/kernels/elementwise.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "maas/kernels/elementwise.cc"
#include "hwy/foreach_target.h"
#include "maas/kernels/activation-inl.h"
#include "maas/kernels/map-inl.h"
#include "maas/kernels/math-inl.h"
#include "maas/kernels/pow-inl.h"

HWY_BEFORE_NAMESPACE();
namespace maas {
namespace HWY_NAMESPACE {

// One loop a function: Fn::of(d, x, p, q) or Fn::of(d, x, y, p, q).
template <class Fn, class T>
void MapUnary(size_t n, const T* x, const T*, T* out, T p, T q) {
  const hn::ScalableTag<T> d;
  using V = hn::Vec<decltype(d)>;
  const V vp = hn::Set(d, p), vq = hn::Set(d, q);
  MapArrays(d, n, [=](V v) HWY_ATTR { return Fn::of(d, v, vp, vq); }, out, x);
}
template <class Fn, class T>
void MapBinary(size_t n, const T* x, const T* y, T* out, T p, T) {
  const hn::ScalableTag<T> d;
  using V = hn::Vec<decltype(d)>;
  const V vp = hn::Set(d, p);
  MapArrays(d, n, [=](V a, V b) HWY_ATTR { return Fn::of(d, a, b, vp); }, out, x, y);
}

#define MAAS_UNARY(name, expression)             \
  struct name##Of {                              \
    template <class D, class V>                  \
    static HWY_INLINE V of(D d, V x, V p, V q) { \
      (void)d, (void)p, (void)q;                 \
      return expression;                         \
    }                                            \
  }
#define MAAS_BINARY(name, expression)            \
  struct name##Of {                              \
    template <class D, class V>                  \
    static HWY_INLINE V of(D d, V x, V y, V p) { \
      (void)d, (void)p;                          \
      return expression;                         \
    }                                            \
  }

MAAS_UNARY(Exp, Exp(d, x));
MAAS_UNARY(Expm1, Expm1(d, x));
MAAS_UNARY(Log, Log(d, x));
MAAS_UNARY(Log1p, Log1p(d, x));
MAAS_UNARY(Erf, Erf(d, x));
MAAS_UNARY(Abs, Canonical(d, hn::Abs(x)));
MAAS_UNARY(Neg, Canonical(d, hn::Neg(x)));
MAAS_UNARY(Sign, PlainSign(d, x));
MAAS_UNARY(Floor, Canonical(d, hn::Floor(x)));
MAAS_UNARY(Ceil, Canonical(d, hn::Ceil(x)));
MAAS_UNARY(Round, Canonical(d, hn::Round(x)));
MAAS_UNARY(Sqrt, Canonical(d, hn::Sqrt(x)));
MAAS_UNARY(Reciprocal, Canonical(d, hn::Div(hn::Set(d, 1), x)));
MAAS_UNARY(Relu, CanonicalRelu(d, x));
MAAS_UNARY(LeakyRelu, LeakyRelu(d, x, p));
MAAS_UNARY(ThresholdedRelu, ThresholdedRelu(d, x, p));
MAAS_UNARY(Elu, Elu(d, x, p));
MAAS_UNARY(Selu, Selu(d, x, p, q));
MAAS_UNARY(Celu, Celu(d, x, p));
MAAS_UNARY(Gelu, Gelu(d, x));
MAAS_UNARY(GeluTanh, GeluTanh(d, x));
MAAS_UNARY(Sigmoid, Sigmoid(d, x));
MAAS_UNARY(Silu, Silu(d, x));
MAAS_UNARY(Tanh, Tanh(d, x));
MAAS_UNARY(Softplus, Softplus(d, x));
MAAS_UNARY(Softsign, Softsign(d, x));
MAAS_UNARY(HardSigmoid, HardSigmoid(d, x, p, q));
MAAS_UNARY(HardSwish, HardSwish(d, x));
MAAS_UNARY(Mish, Mish(d, x));
MAAS_UNARY(Clip, Clip(d, x, p, q));
MAAS_UNARY(ScaleShift, hn::MulAdd(p, x, q));

MAAS_BINARY(Max, SelectMax(d, x, y));
MAAS_BINARY(Min, SelectMin(d, x, y));
MAAS_BINARY(Pow, Pow(d, x, y));
MAAS_BINARY(Add, Canonical(d, hn::Add(x, y)));
MAAS_BINARY(Subtract, Canonical(d, hn::Sub(x, y)));
MAAS_BINARY(Multiply, Canonical(d, hn::Mul(x, y)));
MAAS_BINARY(Divide, Canonical(d, hn::Div(x, y)));
MAAS_BINARY(Axpy, hn::MulAdd(p, x, y));

#undef MAAS_UNARY
#undef MAAS_BINARY

template <class T>
MapFn<T> FindActivation(MapOp op) {
  switch (op) {
    case MapOp::kRelu: return MapUnary<ReluOf, T>;
    case MapOp::kLeakyRelu: return MapUnary<LeakyReluOf, T>;
    case MapOp::kThresholdedRelu: return MapUnary<ThresholdedReluOf, T>;
    case MapOp::kElu: return MapUnary<EluOf, T>;
    case MapOp::kSelu: return MapUnary<SeluOf, T>;
    case MapOp::kCelu: return MapUnary<CeluOf, T>;
    case MapOp::kGelu: return MapUnary<GeluOf, T>;
    case MapOp::kGeluTanh: return MapUnary<GeluTanhOf, T>;
    case MapOp::kSigmoid: return MapUnary<SigmoidOf, T>;
    case MapOp::kSilu: return MapUnary<SiluOf, T>;
    case MapOp::kTanh: return MapUnary<TanhOf, T>;
    case MapOp::kSoftplus: return MapUnary<SoftplusOf, T>;
    case MapOp::kSoftsign: return MapUnary<SoftsignOf, T>;
    case MapOp::kHardSigmoid: return MapUnary<HardSigmoidOf, T>;
    case MapOp::kHardSwish: return MapUnary<HardSwishOf, T>;
    case MapOp::kMish: return MapUnary<MishOf, T>;
    default: return MapUnary<ClipOf, T>;
  }
}

template <class T>
MapFn<T> FindBinary(MapOp op) {
  switch (op) {
    case MapOp::kMax: return MapBinary<MaxOf, T>;
    case MapOp::kMin: return MapBinary<MinOf, T>;
    case MapOp::kPow: return MapBinary<PowOf, T>;
    case MapOp::kAdd: return MapBinary<AddOf, T>;
    case MapOp::kSubtract: return MapBinary<SubtractOf, T>;
    case MapOp::kMultiply: return MapBinary<MultiplyOf, T>;
    case MapOp::kDivide: return MapBinary<DivideOf, T>;
    default: return MapBinary<AxpyOf, T>;
  }
}

template <class T>
MapFn<T> FindMap(MapOp op) {
  switch (op) {
    case MapOp::kExp: return MapUnary<ExpOf, T>;
    case MapOp::kExpm1: return MapUnary<Expm1Of, T>;
    case MapOp::kLog: return MapUnary<LogOf, T>;
    case MapOp::kLog1p: return MapUnary<Log1pOf, T>;
    case MapOp::kErf: return MapUnary<ErfOf, T>;
    case MapOp::kAbs: return MapUnary<AbsOf, T>;
    case MapOp::kNeg: return MapUnary<NegOf, T>;
    case MapOp::kSign: return MapUnary<SignOf, T>;
    case MapOp::kFloor: return MapUnary<FloorOf, T>;
    case MapOp::kCeil: return MapUnary<CeilOf, T>;
    case MapOp::kRound: return MapUnary<RoundOf, T>;
    case MapOp::kSqrt: return MapUnary<SqrtOf, T>;
    case MapOp::kReciprocal: return MapUnary<ReciprocalOf, T>;
    case MapOp::kScaleShift: return MapUnary<ScaleShiftOf, T>;
    default: return is_binary(op) ? FindBinary<T>(op) : FindActivation<T>(op);
  }
}

MapFn<float> FindMapF32(MapOp op) { return FindMap<float>(op); }
MapFn<double> FindMapF64(MapOp op) { return FindMap<double>(op); }

}  // namespace HWY_NAMESPACE
}  // namespace maas
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace maas {

HWY_EXPORT(FindMapF32);
HWY_EXPORT(FindMapF64);

template <>
MapFn<float> find_map(MapOp op) {
  return HWY_DYNAMIC_DISPATCH(FindMapF32)(op);
}
template <>
MapFn<double> find_map(MapOp op) {
  return HWY_DYNAMIC_DISPATCH(FindMapF64)(op);
}

void map_arrays(MapOp op, size_t n, const float* x, const float* y, float* out, float p, float q) {
  find_map<float>(op)(n, x, y, out, p, q);
}
void map_arrays(MapOp op, size_t n, const double* x, const double* y, double* out, double p, double q) {
  find_map<double>(op)(n, x, y, out, p, q);
}

}  // namespace maas
#endif  // HWY_ONCE
