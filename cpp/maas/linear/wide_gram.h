// The products of all pairs of columns when there are many: every block of rows is packed once and multiplied
// as one matrix product, so that rows too wide for the caches are read from memory a single time.
#pragma once

#include "maas/base/aligned.h"
#include "maas/linear/row_panels.h"

namespace maas {

// Σ w z zᵀ of the shifted columns z, q × q row-major, q = panels.columns(); above and on the diagonal, below
// it anything. Uses the thread pool; same bits on any number of threads. Throws NotFinite.
template <class T, class P>
AlignedBuffer<double> wide_gram(const RowPanels<T, P>& panels);

extern template AlignedBuffer<double> wide_gram(const RowPanels<float, float>&);
extern template AlignedBuffer<double> wide_gram(const RowPanels<float, double>&);
extern template AlignedBuffer<double> wide_gram(const RowPanels<double, double>&);

}  // namespace maas
