// Arithmetic of int32 and int64 arrays, element by element, modulo 2^32 and 2^64. `out` may be an input. One
// thread. Broadcasting: for_pieces of kernels/broadcast.h.
#pragma once

#include <cstddef>
#include <cstdint>

#include "maas/kernels/elementwise.h"

namespace maas {

// kAbs, kNeg, kSign (y is not read), kMax, kMin, kAdd, kSubtract, kMultiply, kDivide (drops the fraction),
// kFmod (remainder with the sign of x), kMod (with the sign of y), kPow (a negative power of anything but 1
// and -1 is 0). Returns false where something was divided by zero, whose result is 0. T: int32_t or int64_t.
template <class T>
bool map_integers(MapOp op, size_t n, const T* x, const T* y, T* out);

}  // namespace maas
