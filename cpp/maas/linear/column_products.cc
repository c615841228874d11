#include "maas/linear/column_products.h"

#include <algorithm>

#include "maas/base/shards.h"
#include "maas/base/thread_pool.h"
#include "maas/kernels/csr.h"

namespace maas {

template <class T>
void row_margins(const CsrView<T>& x, const double* w, double bias, double* z) {
  const Shards shards = make_shards(x.rows, 256, 256);
  parallel_for(shards.count(), [&](size_t shard, int) {
    for (size_t i = shards.begin(shard); i < shards.end(shard); ++i) {
      const auto at = static_cast<size_t>(x.starts[i]);
      const auto count = static_cast<size_t>(x.starts[i + 1]) - at;
      z[i] = bias + csr_dot(x.values + at, x.columns + at, count, w);
    }
  });
}

template <class T>
void column_products(const CsrView<T>& x, const std::vector<const double*>& residual, double* out) {
  const size_t size = x.cols * residual.size();
  // Sums of shards of rows, so few that they stay below the matrix in size.
  const size_t most = std::clamp<size_t>(x.nonzeros() / std::max<size_t>(1, size), 1, 8);
  const Shards shards = make_shards(x.rows, 64, most);
  std::vector<double> sums(std::max<size_t>(1, shards.count()) * size, 0.0);
  parallel_for(shards.count(), [&](size_t shard, int) {
    double* const own = sums.data() + shard * size;
    for (size_t i = shards.begin(shard); i < shards.end(shard); ++i) {
      const auto at = static_cast<size_t>(x.starts[i]);
      const auto count = static_cast<size_t>(x.starts[i + 1]) - at;
      for (size_t k = 0; k < residual.size(); ++k) {
        csr_add(residual[k][i], x.values + at, x.columns + at, count, own + k * x.cols);
      }
    }
  });
  combine_tree(sums.data(), shards.count(), size);
  std::copy(sums.begin(), sums.begin() + static_cast<ptrdiff_t>(size), out);
}

template void row_margins(const CsrView<float>&, const double*, double, double*);
template void row_margins(const CsrView<double>&, const double*, double, double*);
template void column_products(const CsrView<float>&, const std::vector<const double*>&, double*);
template void column_products(const CsrView<double>&, const std::vector<const double*>&, double*);

}  // namespace maas
