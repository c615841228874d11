// Rows of scores: probabilities, their logarithms, the largest. Row i of x begins at x + i * ld and has
// `cols` >= 1 contiguous values, row i of out at out + i * out_ld. Sums over a row follow kernels/sum-inl.h,
// so a row's result depends on that row alone. One thread: callers shard the rows.
#pragma once

#include <cstddef>
#include <cstdint>

namespace maas {

enum class RowOp {
  kSoftmax,     // e^x(i, j) / sum of e^x over the row; out may be x
  kLogSoftmax,  // x(i, j) - log of that sum; out may be x
  kLogSumExp,   // log of that sum: one value a row
};

// Scores of -inf have probability 0. A row with NaN gives the canonical NaN, and so does one with +inf or
// with -inf alone, except that its kLogSumExp is that infinity.
void map_rows(RowOp op, const float* x, size_t rows, size_t cols, size_t ld, float* out, size_t out_ld);
void map_rows(RowOp op, const double* x, size_t rows, size_t cols, size_t ld, double* out, size_t out_ld);

// The same function looked up once, for the SIMD target active now.
template <class T>
using RowsFn = void (*)(RowOp op, const T* x, size_t rows, size_t cols, size_t ld, T* out, size_t out_ld);
template <class T>
RowsFn<T> find_rows();
template <>
RowsFn<float> find_rows();
template <>
RowsFn<double> find_rows();

// out[i] = column of the row's largest value, the first of equals; the first NaN counts as the largest.
void argmax_rows(const float* x, size_t rows, size_t cols, size_t ld, uint32_t* out);
void argmax_rows(const double* x, size_t rows, size_t cols, size_t ld, uint32_t* out);

}  // namespace maas
