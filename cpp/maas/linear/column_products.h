// The two products of all rows that solvers by columns need besides their columns: margins of weights, and
// column sums of residuals. On the pool, the same bits for any number of threads.
#pragma once

#include <cstddef>
#include <vector>

#include "maas/base/csr.h"

namespace maas {

// z[i] = x_i . w + bias
template <class T>
void row_margins(const CsrView<T>& x, const double* w, double bias, double* z);

// out[k * cols + j] = Σ_i x_ij residual[k][i]
template <class T>
void column_products(const CsrView<T>& x, const std::vector<const double*>& residual, double* out);

extern template void row_margins(const CsrView<float>&, const double*, double, double*);
extern template void row_margins(const CsrView<double>&, const double*, double, double*);
extern template void column_products(const CsrView<float>&, const std::vector<const double*>&, double*);
extern template void column_products(const CsrView<double>&, const std::vector<const double*>&, double*);

}  // namespace maas
