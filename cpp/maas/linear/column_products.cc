#include "maas/linear/column_products.h"

#include <algorithm>

#include "maas/base/aligned.h"
#include "maas/base/error.h"
#include "maas/base/shards.h"
#include "maas/base/thread_pool.h"
#include "maas/kernels/csr.h"
#include "maas/kernels/linear_pass.h"
#include "maas/kernels/panel.h"

namespace maas {
namespace {

constexpr size_t kPanelRows = 64;

// Runs use(panel, first row, rows) on panels of all rows of a shard, in double; false where X is not finite.
template <class T, class Use>
bool each_panel(const MatrixView<T>& x, size_t begin, size_t end, const Use& use) {
  AlignedBuffer<double> panel(x.cols * kPanelRows);
  for (size_t i = begin; i < end; i += kPanelRows) {
    const size_t rows = std::min(kPanelRows, end - i);
    if (!pack_panel(x, i, rows, static_cast<const double*>(nullptr), panel.data(), kPanelRows)) return false;
    use(panel.data(), i, rows);
  }
  return true;
}

}  // namespace

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

template <class T>
void row_margins(const MatrixView<T>& x, const double* w, double bias, double* z) {
  const Shards shards = make_shards(x.rows, kPanelRows, 64);
  parallel_for(shards.count(), [&](size_t shard, int) {
    alignas(64) double out[kPanelRows];
    const auto use = [&](const double* panel, size_t first, size_t rows) {
      panel_margins(panel, kPanelRows, x.cols, w, 1, out);
      for (size_t i = 0; i < rows; ++i) z[first + i] = out[i] + bias;
    };
    if (!each_panel(x, shards.begin(shard), shards.end(shard), use)) throw NotFinite("X");
  });
}

template <class T>
void column_products(const MatrixView<T>& x, const std::vector<const double*>& residual, double* out) {
  const size_t outputs = residual.size(), size = x.cols * outputs;
  // The shards' sums must not outgrow the cache they are combined in.
  const Shards shards = make_shards(x.rows, kPanelRows, std::clamp<size_t>((size_t{1} << 19) / size, 4, 64));
  std::vector<double> sums(std::max<size_t>(1, shards.count()) * size, 0.0);
  parallel_for(shards.count(), [&](size_t shard, int) {
    AlignedBuffer<double> r(outputs * kPanelRows);
    const auto use = [&](const double* panel, size_t first, size_t rows) {
      std::fill(r.begin(), r.end(), 0.0);
      for (size_t k = 0; k < outputs; ++k) {
        std::copy(residual[k] + first, residual[k] + first + rows, r.data() + k * kPanelRows);
      }
      panel_products(r.data(), outputs, panel, x.cols, kPanelRows, sums.data() + shard * size);
    };
    if (!each_panel(x, shards.begin(shard), shards.end(shard), use)) throw NotFinite("X");
  });
  combine_tree(sums.data(), shards.count(), size);
  std::copy(sums.begin(), sums.begin() + static_cast<ptrdiff_t>(size), out);
}

template void row_margins(const CsrView<float>&, const double*, double, double*);
template void row_margins(const CsrView<double>&, const double*, double, double*);
template void column_products(const CsrView<float>&, const std::vector<const double*>&, double*);
template void column_products(const CsrView<double>&, const std::vector<const double*>&, double*);
template void row_margins(const MatrixView<float>&, const double*, double, double*);
template void row_margins(const MatrixView<double>&, const double*, double, double*);
template void column_products(const MatrixView<float>&, const std::vector<const double*>&, double*);
template void column_products(const MatrixView<double>&, const std::vector<const double*>&, double*);

}  // namespace maas
