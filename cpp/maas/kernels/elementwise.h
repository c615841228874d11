// Functions of contiguous arrays, element by element. `out` may be an input; nothing else may overlap. Any
// alignment, any length; nothing past the arrays is read or written. One thread: callers shard.
//
// Meanings are ONNX's; p and q are an operator's alpha and beta (or the like). NaN in gives the canonical NaN
// out, and so does an invalid operation, except for the two of plain arithmetic. Errors in ULP are listed in
// kernels/math-inl.h, kernels/activation-inl.h and kernels/pow-inl.h; what is not listed is correctly rounded
// or exact.
#pragma once

#include <cstddef>

namespace maas {

// What out[i] becomes.
enum class MapOp {
  // of x
  kExp,
  kExpm1,
  kLog,
  kLog1p,
  kErf,
  kAbs,
  kNeg,
  kSign,  // +0 for both zeros
  kFloor,
  kCeil,
  kRound,  // half to even
  kSqrt,
  kReciprocal,
  // of x: activations
  kRelu,             // +0 for -0
  kLeakyRelu,        // p x below 0
  kThresholdedRelu,  // x above p, else 0, also for NaN
  kElu,              // p (e^x - 1) up to 0
  kSelu,             // q x, q p (e^x - 1) up to 0
  kCelu,             // p (e^(x/p) - 1) up to 0
  kGelu,             // x/2 (1 + erf(x / sqrt 2)); NaN for -inf, as the formula
  kGeluTanh,         // x/2 (1 + tanh(sqrt(2/pi) (x + 0.044715 x^3))); NaN for -inf
  kSigmoid,
  kSilu,         // x sigmoid(x); NaN for -inf
  kTanh,         //
  kSoftplus,     // log(1 + e^x)
  kSoftsign,     // x / (1 + |x|)
  kHardSigmoid,  // max(0, min(1, p x + q)), fused
  kHardSwish,    // x hard_sigmoid(x) with 1/6 and 1/2; NaN for -inf
  kMish,         // x tanh(softplus(x)); NaN for -inf
  kClip,         // p <= . <= q; q where p > q
  // of x and y
  kMax,  // the second of two zeros
  kMin,
  kPow,
  kAdd,
  kSubtract,
  kMultiply,
  kDivide,
  // plain arithmetic: NaNs as the processor makes them
  kScaleShift,  // p x + q, fused
  kAxpy,        // p x + y, fused
};

// Whether `op` reads y.
constexpr bool is_binary(MapOp op) {
  return (op >= MapOp::kMax && op <= MapOp::kDivide) || op == MapOp::kAxpy;
}

// `y` may be null where the operation does not read it.
void map_arrays(MapOp op, size_t n, const float* x, const float* y, float* out, float p = 0, float q = 0);
void map_arrays(MapOp op, size_t n, const double* x, const double* y, double* out, double p = 0,
                double q = 0);

// The same function looked up once, for the SIMD target active now.
template <class T>
using MapFn = void (*)(size_t n, const T* x, const T* y, T* out, T p, T q);
template <class T>
MapFn<T> find_map(MapOp op);
template <>
MapFn<float> find_map(MapOp op);
template <>
MapFn<double> find_map(MapOp op);

}  // namespace maas
