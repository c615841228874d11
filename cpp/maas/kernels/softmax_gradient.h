// The derivative of a softmax over the columns of a row. Row i of each begins ld values after the one before.
#pragma once

#include <cstddef>

namespace maas {

// out(i, j) = p(i, j) (dy(i, j) - Σ_k p(i, k) dy(i, k)) with p the probabilities; the sum follows
// kernels/sum-inl.h. `out` may be `dy`. Nothing between cols and ld is read or written. One thread.
void softmax_gradient(const float* p, const float* dy, size_t rows, size_t cols, size_t ld, float* out);
void softmax_gradient(const double* p, const double* dy, size_t rows, size_t cols, size_t ld, double* out);

}  // namespace maas
