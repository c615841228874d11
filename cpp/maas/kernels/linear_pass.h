// The two products a pass over a panel (kernels/panel.h) is made of: margins on the way in, column sums on
// the way out. Rows are the vector dimension; every sum has one order on every target with FMA.
#pragma once

#include <cstddef>

namespace maas {

// z[o * ld + i] = Σ_k panel[k * ld + i] * w[o * cols + k]: one FMA chain along k for each row and output.
// ld is a multiple of kPanelPad.
void panel_margins(const float* panel, size_t ld, size_t cols, const float* w, size_t outputs, float* z);
void panel_margins(const double* panel, size_t ld, size_t cols, const double* w, size_t outputs, double* z);

// sums[p * b_cols + q] += Σ_i a[p * ld + i] * b[q * ld + i], the gradient of a panel with a = residuals and
// b = the panel. 16 float32 or 8 float64 partials over the rows of one call, joined in double by one tree:
// keep float32 panels short (512 rows) and the error stays near one rounding.
void panel_products(const float* a, size_t a_cols, const float* b, size_t b_cols, size_t ld, double* sums);
void panel_products(const double* a, size_t a_cols, const double* b, size_t b_cols, size_t ld, double* sums);

}  // namespace maas
