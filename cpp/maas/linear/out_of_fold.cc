#include "maas/linear/out_of_fold.h"

#include <memory>

#include "maas/base/thread_pool.h"
#include "maas/kernels/linear_pass.h"
#include "maas/linear/fold_rows.h"

namespace maas {
namespace {

template <class T>
class OutOfFold {
 public:
  OutOfFold(const WeightedRows<T>& rows, const int32_t* fold_of_row, const FoldModels<T>& models)
      : rows_(rows, true, {}, fold_of_row, models.folds,
              (rows.x.cols + 1) * models.penalties * models.outputs),
        stacked_(models.penalties * models.outputs) {
    const size_t features = rows.x.cols;
    for (size_t m = 0; m < models.folds * stacked_; ++m) {
      weights_.insert(weights_.end(), models.coef + m * features, models.coef + (m + 1) * features);
      weights_.push_back(models.intercept[m]);
    }
  }

  const FoldRows<T>& rows() const { return rows_; }

  // Calls fn(shard, fold, panel, margins) for all panels of tested rows.
  template <class Fn>
  void for_each_panel(const Fn& fn) {
    struct Scratch {
      FoldPanel<T> panel;
      AlignedBuffer<T> z;
    };
    const size_t columns = rows_.columns();
    std::vector<std::unique_ptr<Scratch>> scratch(static_cast<size_t>(num_threads()));
    parallel_for(rows_.shards().count(), [&](size_t shard, int worker) {
      auto& own = scratch[static_cast<size_t>(worker)];
      if (!own) own = std::make_unique<Scratch>();
      if (own->z.size() == 0) own->z = AlignedBuffer<T>(stacked_ * rows_.block_rows());
      for (size_t fold = 0; fold < rows_.folds(); ++fold) {
        const T* w = weights_.data() + fold * stacked_ * columns;
        rows_.for_each_panel(shard, fold, own->panel, [&](const FoldPanel<T>& panel) {
          panel_margins(panel.x.data(), panel.ld, columns, w, stacked_, own->z.data());
          fn(shard, fold, panel, own->z.data());
        });
      }
    });
  }

 private:
  FoldRows<T> rows_;
  size_t stacked_;
  std::vector<T> weights_;
};

// Weight of a panel's rows whose class the margins z (outputs × ld) predict.
template <class T>
double hits(const FoldPanel<T>& panel, const T* z, size_t outputs) {
  const size_t ld = panel.ld;
  const T* y = panel.y.data();
  double sum = 0;
  size_t count = 0;
  for (size_t i = 0; i < panel.rows; ++i) {
    size_t best = 0;
    for (size_t o = 1; o < outputs; ++o) {
      if (z[o * ld + i] > z[best * ld + i]) best = o;
    }
    if (outputs == 1) best = z[i] > 0 ? 1 : 0;
    const bool right = y[i] == static_cast<T>(best);
    count += right ? 1 : 0;
    if (panel.weights != nullptr && right) sum += static_cast<double>(panel.weights[i]);
  }
  return panel.weights == nullptr ? static_cast<double>(count) : sum;
}

}  // namespace

template <class T>
void out_of_fold_decisions(const WeightedRows<T>& rows, const int32_t* fold_of_row,
                           const FoldModels<T>& models, T* decisions) {
  OutOfFold<T> tested(rows, fold_of_row, models);
  const size_t outputs = models.outputs, n = rows.x.rows;
  tested.for_each_panel([&](size_t, size_t, const FoldPanel<T>& panel, const T* z) {
    for (size_t m = 0; m < models.penalties * outputs; ++m) {
      T* const out = decisions + (m / outputs) * n * outputs + m % outputs;
      const T* margin = z + m * panel.ld;
      for (size_t i = 0; i < panel.rows; ++i) {
        const size_t row = panel.first + (panel.index == nullptr ? i : panel.index[i]);
        out[row * outputs] = margin[i];
      }
    }
  });
}

template <class T>
std::vector<double> out_of_fold_hits(const WeightedRows<T>& rows, const int32_t* fold_of_row,
                                     const FoldModels<T>& models) {
  OutOfFold<T> tested(rows, fold_of_row, models);
  const size_t counts = models.folds * models.penalties;
  const size_t shards = tested.rows().shards().count();
  std::vector<double> sums(shards * counts, 0.0);
  tested.for_each_panel([&](size_t shard, size_t fold, const FoldPanel<T>& panel, const T* z) {
    for (size_t p = 0; p < models.penalties; ++p) {
      sums[shard * counts + fold * models.penalties + p] +=
          hits(panel, z + p * models.outputs * panel.ld, models.outputs);
    }
  });
  combine_tree(sums.data(), shards, counts);
  sums.resize(counts);
  const std::vector<double>& weights = tested.rows().group_weights();
  sums.insert(sums.end(), weights.begin(), weights.end() - 1);
  return sums;
}

template void out_of_fold_decisions(const WeightedRows<float>&, const int32_t*, const FoldModels<float>&,
                                    float*);
template void out_of_fold_decisions(const WeightedRows<double>&, const int32_t*, const FoldModels<double>&,
                                    double*);
template std::vector<double> out_of_fold_hits(const WeightedRows<float>&, const int32_t*,
                                              const FoldModels<float>&);
template std::vector<double> out_of_fold_hits(const WeightedRows<double>&, const int32_t*,
                                              const FoldModels<double>&);

}  // namespace maas
