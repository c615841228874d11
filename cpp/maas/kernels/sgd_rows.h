// Gathers rows for the per-sample loop (kernels/sgd.h): from any layout and either type, in any order, into
// contiguous float64 rows, with the products of rows that no weight enters. Any thread may gather any blocks.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>

#include "maas/base/view.h"

namespace maas {

// Columns of a gathered row: whole vectors on every target.
inline constexpr size_t sgd_padded(size_t cols) { return (cols + 7) / 8 * 8; }

// Rows that the per-sample loop learns in one go: products of neighbours are needed within a block only.
inline size_t sgd_block_rows(size_t cols) {
  return std::clamp<size_t>((size_t{1} << 15) / sgd_padded(cols), 8, 64);
}

// rows[i * sgd_padded(cols) ...] = row order[i] of x, square[i] = row i . row i and, from i = 1 on,
// cross[i] = row i . row i - 1. The padding of `rows` is not written: it must be zero. Returns whether all
// values are finite.
bool sgd_gather(const MatrixView<float>& x, const uint32_t* order, size_t count, double* rows, double* cross,
                double* square);
bool sgd_gather(const MatrixView<double>& x, const uint32_t* order, size_t count, double* rows, double* cross,
                double* square);

}  // namespace maas
