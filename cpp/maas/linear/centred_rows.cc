#include "maas/linear/centred_rows.h"

#include <algorithm>

#include "maas/kernels/gemm.h"

namespace maas {

AlignedBuffer<double> dual_gram(const PackBlock& pack, size_t n, size_t d) {
  constexpr size_t kFeatures = 256;
  AlignedBuffer<double> k(n * n, 0.0), block(n * kFeatures);
  for (size_t first = 0; first < d; first += kFeatures) {
    const size_t m = std::min(kFeatures, d - first), ld = panel_ld(m);
    pack(first, m, block.data(), ld);
    const MatrixView<double> rows{block.data(), n, ld, static_cast<ptrdiff_t>(ld), 1};
    gemm_update(rows, rows.transposed(), k.data(), n, Sign::kPlus, Part::kUpper);
  }
  return k;
}

}  // namespace maas
