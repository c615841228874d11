// Numbers of one type to another over contiguous arrays: float, double, int32_t, int64_t and uint8_t, which
// is bool: 0 or 1 out, anything but 0 true in. Any alignment; `out` overlaps nothing. One thread.
//
// Floats to integers drop the fraction. NaN and what the integer cannot hold become its least value (numpy on
// x86 does the same; ONNX leaves it open). int64 to int32 keeps the low bits. NaN to bool is true. Rounding
// elsewhere is to nearest, half to even; NaNs come out canonical.
#pragma once

#include <cstddef>
#include <cstdint>

namespace maas {

// Returns whether every value could be held (a lost fraction or rounding counts as held).
template <class From, class To>
bool cast_values(size_t n, const From* x, To* out);

}  // namespace maas
