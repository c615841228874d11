// Inner products of panel columns (kernels/panel.h): G += AᵀB or Aᵀ diag(h) B, the work of least squares and
// of Newton's method. Rows are the vector dimension; every pair of columns owns 8 logical lanes, added up by
// one fixed tree at the end, so a sum's bits depend on the panels' heights alone.
#pragma once

#include <cstddef>

namespace maas {

// Doubles needed to accumulate an a_cols × b_cols block. Opaque: only gram_finish reads them. Start at zero.
size_t gram_accumulator_size(size_t a_cols, size_t b_cols);

// Memory that will be read next: asked for while the products are formed, since multiplying alone leaves the
// memory idle and packing alone the multipliers.
struct NextRows {
  const void* data = nullptr;
  size_t bytes = 0;
};

// Adds the products of `rows` rows (a multiple of 16, padding rows zero) of the panels a and b, both with
// leading dimension ld. b == a means a symmetric block: pairs i <= j only. h, when not null, holds one weight
// a row (zero or any finite value on padding rows). float products run in float FMA chains of rows/16 terms,
// folded into double at the end of the call: keep panels short (kGramFloatRows).
void gram_panel(const double* a, size_t a_cols, const double* b, size_t b_cols, size_t ld, size_t rows,
                const double* h, double* accumulators, NextRows next = {});
void gram_panel(const float* a, size_t a_cols, const float* b, size_t b_cols, size_t ld, size_t rows,
                const float* h, double* accumulators, NextRows next = {});

// At this height a float chain has 32 terms: the error of one panel's sum stays near one rounding.
inline constexpr size_t kGramFloatRows = 512;

// out[i * out_ld + j] += the block's sums; a symmetric block is written to both triangles.
void gram_finish(const double* accumulators, size_t a_cols, size_t b_cols, bool symmetric, double* out,
                 size_t out_ld);

}  // namespace maas
