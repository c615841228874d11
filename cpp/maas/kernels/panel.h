// A panel is a block of rows stored by columns: column j is `rows` values at dst + j * ld, followed by zeros
// up to ld. Every pass over training data works on panels, so row-major, column-major, strided and mapped
// input give the same bits, and rows are the vector dimension whatever the number of columns.
#pragma once

#include <cstddef>

#include "maas/base/view.h"

namespace maas {

// Rows in a panel are padded to a multiple of this (one 64-byte vector of float32, two of float64).
inline constexpr size_t kPanelPad = 16;

inline constexpr size_t panel_ld(size_t rows) { return (rows + kPanelPad - 1) / kPanelPad * kPanelPad; }

// Rows a panel should have when all columns are packed at once: about 40 KiB of source, the least that lets
// memory stream while the panel stays in cache; between 64 and 512 and a function of the shape alone.
inline constexpr size_t panel_rows(size_t cols, size_t item_size) {
  const size_t rows = 40960 / (cols == 0 ? 1 : cols) / item_size / kPanelPad * kPanelPad;
  return rows < 64 ? 64 : rows > 512 ? 512 : rows;
}

// Copies rows [row_begin, row_begin + rows) of x into dst (x.cols columns of ld >= panel_ld(rows) values),
// converting to Out and subtracting shift[j] (when not null) from column j; padding rows are zero, not
// shifted. Returns whether every value is finite. Reads nothing outside the rows named.
bool pack_panel(MatrixView<float> x, size_t row_begin, size_t rows, const float* shift, float* dst,
                size_t ld);
bool pack_panel(MatrixView<double> x, size_t row_begin, size_t rows, const double* shift, double* dst,
                size_t ld);
bool pack_panel(MatrixView<float> x, size_t row_begin, size_t rows, const double* shift, double* dst,
                size_t ld);

}  // namespace maas
