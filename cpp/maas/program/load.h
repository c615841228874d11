// Rows of a caller's array, of any strides and alignment, copied to where steps read them.
#pragma once

#include <cstddef>

#include "maas/graph/dtype.h"
#include "maas/program/program.h"

namespace maas {

// Writes rows [begin, begin + rows) of `array`, `elements` items each, one after the other to `out` as values
// of `to`, to which the array's type must widen (or be equal).
void load_rows(const InputArray& array, size_t begin, size_t rows, size_t elements, DType to,
               void* out) noexcept;

}  // namespace maas
