// The two products of all rows that solvers by columns need besides their columns: margins of weights, and
// column sums of residuals. On the pool, the same bits for any number of threads.
#pragma once

#include <cstddef>
#include <vector>

#include "maas/base/csr.h"
#include "maas/base/view.h"

namespace maas {

// z[i] = x_i . w + bias
template <class T>
void row_margins(const CsrView<T>& x, const double* w, double bias, double* z);

// out[k * cols + j] = Σ_i x_ij residual[k][i]
template <class T>
void column_products(const CsrView<T>& x, const std::vector<const double*>& residual, double* out);

// The same of dense rows; throw NotFinite where X has NaN or infinity.
template <class T>
void row_margins(const MatrixView<T>& x, const double* w, double bias, double* z);
template <class T>
void column_products(const MatrixView<T>& x, const std::vector<const double*>& residual, double* out);

}  // namespace maas
