// The caller's rows: features, targets and weights of any layout and number type, copied into a batch.
#pragma once

#include <cstddef>
#include <cstdint>

#include "maas/graph/dtype.h"
#include "maas/nn/batch_matrix.h"

namespace maas {

// Item (i, j) at data + i * row_stride + j * item_stride, in bytes, any alignment. float32, float64, int64,
// int32 or bool.
struct RowSource {
  const void* data = nullptr;
  DType dtype = DType::kFloat32;
  size_t rows = 0, cols = 0;
  ptrdiff_t row_stride = 0, item_stride = 0;
};

// Row order[i] (or first + i where order is null) of the source becomes row i of `out`, cast to T.
// out.rows rows; source.cols = out.cols. Rows must exist. No allocation.
template <class T>
void take_rows(const RowSource& source, const uint32_t* order, size_t first, BatchMatrix<T> out);
// The same to contiguous integers; floats lose their fraction.
void take_indices(const RowSource& source, const uint32_t* order, size_t first, size_t rows, int64_t* out);

}  // namespace maas
