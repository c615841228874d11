// Functions of contiguous arrays, element by element or row by row. `out` may be an input; nothing else may
// overlap. Any alignment, any length; nothing past the arrays is read or written. Single-threaded: callers
// shard. NaN goes in and out as the canonical NaN unless said otherwise.
#pragma once

#include <cstddef>

namespace maas {

enum class UnaryOp { kExp, kExpm1, kLog, kLog1p, kSigmoid, kTanh, kSoftplus };

// out[i] = op(x[i]); errors in ULP are listed in kernels/math-inl.h.
void map_unary(UnaryOp op, const float* x, size_t n, float* out);
void map_unary(UnaryOp op, const double* x, size_t n, double* out);

}  // namespace maas
