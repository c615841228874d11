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

// Copies rows [row_begin, row_begin + rows) of x into dst (x.cols columns of ld >= panel_ld(rows) values),
// converting to Out and subtracting shift[j] (when not null) from column j; padding rows are zero, not
// shifted. Returns whether every value is finite. Reads nothing outside the rows named.
bool pack_panel(MatrixView<float> x, size_t row_begin, size_t rows, const float* shift, float* dst, size_t ld);
bool pack_panel(MatrixView<double> x, size_t row_begin, size_t rows, const double* shift, double* dst, size_t ld);
bool pack_panel(MatrixView<float> x, size_t row_begin, size_t rows, const double* shift, double* dst, size_t ld);

}  // namespace maas
