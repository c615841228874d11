// Functions of contiguous arrays, element by element. `out` may be an input; nothing else may overlap. Any
// alignment, any length; nothing past the arrays is read or written. One thread: callers shard.
#pragma once

#include <cstddef>

namespace maas {

// What out[i] becomes. Errors of the functions in ULP are listed in kernels/math-inl.h. All of the first two
// groups turn NaN into the canonical NaN.
enum class MapOp {
  // of x
  kExp,
  kExpm1,
  kLog,
  kLog1p,
  kSigmoid,
  kTanh,
  kErf,
  kSoftplus,
  kRelu,  // +0 for -0
  kClip,  // p <= . <= q
  // of x and y
  kMax,  // the second of two zeros
  kMin,
  // plain arithmetic
  kScaleShift,  // p x + q, fused
  kAxpy,        // p x + y, fused
  kAdd,
  kSubtract,
  kMultiply,
  kDivide,
};

// `y` may be null where the operation does not name it.
void map_arrays(MapOp op, size_t n, const float* x, const float* y, float* out, float p = 0, float q = 0);
void map_arrays(MapOp op, size_t n, const double* x, const double* y, double* out, double p = 0,
                double q = 0);

}  // namespace maas
