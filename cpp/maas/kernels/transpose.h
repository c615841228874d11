// Columns turned into rows: bits are moved, whatever the type.
#pragma once

#include <cstddef>

namespace maas {

// out[i * cols + j] = the item_bytes (4 or 8) at x + j * column_bytes + i * item_bytes, for i in [0, rows)
// and j in [0, cols). Any alignment and sign of column_bytes; nothing outside is read. `out` must not overlap
// x.
void transpose_columns(const std::byte* x, ptrdiff_t column_bytes, size_t item_bytes, size_t rows,
                       size_t cols, std::byte* out);

}  // namespace maas
