// The products of all pairs of columns when there are many: every block of rows is packed once and multiplied
// as one matrix product, so that rows too wide for the caches are read from memory a single time.
#pragma once

#include <cstddef>

#include "maas/linear/row_panels.h"

namespace maas {

// Rows multiplied at once: enough that reading and writing the q × q sums costs little beside, few enough
// that a float chain stays short (and the packed columns near: q columns are 4 to 8 KB each).
inline constexpr size_t kSlabRows = 1024;

// sums += Σ w z zᵀ of the shifted columns z over rows [begin, end), q × q row-major, q = panels.columns();
// above and on the diagonal, below it anything. Slab after slab, so rows cut at multiples of kSlabRows give
// the same bits in one call or in many. Uses the thread pool; same bits on any number of threads. Throws
// NotFinite.
template <class T, class P>
void wide_gram(const RowPanels<T, P>& panels, size_t begin, size_t end, double* sums);

extern template void wide_gram(const RowPanels<float, float>&, size_t, size_t, double*);
extern template void wide_gram(const RowPanels<float, double>&, size_t, size_t, double*);
extern template void wide_gram(const RowPanels<double, double>&, size_t, size_t, double*);

}  // namespace maas
