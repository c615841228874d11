#include "maas/linear/residual_pass.h"

#include <algorithm>

#include "maas/base/aligned.h"
#include "maas/base/shards.h"
#include "maas/base/thread_pool.h"
#include "maas/kernels/linear_pass.h"

namespace maas {
namespace {

constexpr size_t kPanelRows = 256;

struct Scratch {
  AlignedBuffer<double> panel;      // features, targets, ones
  AlignedBuffer<double> residuals;  // t columns, then the weights
};

// sums += (residuals | weights)ᵀ · panel over one shard: (t + 1) × (d + t + 1).
template <class T>
void fold_shard(const RowPanels<T, double>& panels, const std::vector<double>& coef, size_t begin, size_t end,
                Scratch& s, double* sums) {
  const size_t d = panels.rows().x.cols, t = panels.rows().y.cols, q = panels.columns();
  if (s.panel.size() == 0) {
    s.panel = AlignedBuffer<double>(q * kPanelRows);
    s.residuals = AlignedBuffer<double>((t + 1) * kPanelRows);
  }
  for (size_t r = begin; r < end; r += kPanelRows) {
    const size_t n = std::min(kPanelRows, end - r), ld = panel_ld(n);
    panels.pack(0, q, r, n, s.panel.data(), ld);
    double* weight = s.residuals.data() + t * ld;
    const double* ones = s.panel.data() + (q - 1) * ld;
    if (panels.pack_weights(r, n, weight, ld) == nullptr) std::copy(ones, ones + ld, weight);
    panel_margins(s.panel.data(), ld, d, coef.data(), t, s.residuals.data());
    for (size_t k = 0; k < t; ++k) {
      const double* y = s.panel.data() + (d + k) * ld;
      double* residual = s.residuals.data() + k * ld;
      for (size_t i = 0; i < ld; ++i) residual[i] = (y[i] - residual[i]) * weight[i];
    }
    panel_products(s.residuals.data(), t + 1, s.panel.data(), q, ld, sums);
  }
}

}  // namespace

template <class T>
std::vector<double> residual_products(const RegressionRows<T>& rows, const std::vector<double>& coef,
                                      bool intercept, GramState& state) {
  const size_t d = rows.x.cols, t = rows.y.cols;
  const RowPanels<T, double> panels(rows, intercept ? state.mean : std::vector<double>(d + t, 0.0));
  const size_t q = panels.columns(), slot = (t + 1) * q;
  const Shards shards = make_shards(rows.x.rows, kPanelRows);
  AlignedBuffer<double> sums(shards.count() * slot, 0.0);
  std::vector<Scratch> scratch(static_cast<size_t>(num_threads()));
  parallel_for(shards.count(), [&](size_t shard, int worker) {
    fold_shard(panels, coef, shards.begin(shard), shards.end(shard), scratch[static_cast<size_t>(worker)],
               sums.data() + shard * slot);
  });
  combine_tree(sums.data(), shards.count(), slot);

  const double* of_ones = sums.data() + t * q;  // Σ w (x - mean), Σ w (y - mean), Σ w
  const double total = of_ones[q - 1];
  std::vector<double> products(t * d);
  for (size_t k = 0; k < t; ++k) {
    const double* of_residual = sums.data() + k * q;
    const double residual_mean = intercept ? of_residual[q - 1] / total : 0.0;
    for (size_t j = 0; j < d; ++j) products[k * d + j] = of_residual[j] - residual_mean * of_ones[j];
  }
  if (intercept) {
    for (size_t j = 0; j < d + t; ++j) state.mean[j] += of_ones[j] / total;
  }
  return products;
}

template std::vector<double> residual_products(const RegressionRows<float>&, const std::vector<double>&, bool,
                                               GramState&);

}  // namespace maas
