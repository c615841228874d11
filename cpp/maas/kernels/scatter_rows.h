// Rows of a table by number: copied out, and added up. Tables are row-major without gaps; rows of the batch
// lie `ld` apart; any alignment; nothing past a row is touched. One thread.
#pragma once

#include <cstddef>
#include <cstdint>

namespace maas {

// out(i, :) = table(index[i], :). Indices are in range.
void gather_rows(const float* table, size_t cols, const int64_t* index, size_t n, float* out, size_t ld);
void gather_rows(const double* table, size_t cols, const int64_t* index, size_t n, double* out, size_t ld);

// table(index[i], :) += x(i, :) for the indices in [begin, end), in ascending i; others are skipped.
void scatter_add_rows(const float* x, size_t ld, const int64_t* index, size_t n, size_t begin, size_t end,
                      float* table, size_t cols);
void scatter_add_rows(const double* x, size_t ld, const int64_t* index, size_t n, size_t begin, size_t end,
                      double* table, size_t cols);

}  // namespace maas
