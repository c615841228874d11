// Training rows as panels of doubles (kernels/panel.h), whatever their layout, type or sparsity: what solvers
// read that keep doubles for each row. Rows are cut out, converted and checked block by block; the whole
// matrix is never copied. Sources hold views of the caller's arrays.
#pragma once

#include <algorithm>
#include <cstddef>
#include <memory>
#include <vector>

#include "maas/base/aligned.h"
#include "maas/base/csr.h"
#include "maas/base/shards.h"
#include "maas/base/thread_pool.h"
#include "maas/base/view.h"
#include "maas/kernels/panel.h"

namespace maas {

// Rows [begin, begin + rows) of the columns, ld apart; zero from rows to ld.
struct PanelBlock {
  AlignedBuffer<double> panel;
  AlignedBuffer<double> gram;  // for the caller; empty at first
  size_t begin = 0, rows = 0, ld = 0;
};

// Immutable: any thread may load from it.
class PanelSource {
 public:
  // With an intercept a column of ones follows the features.
  PanelSource(size_t rows, size_t features, bool intercept)
      : rows_(rows), features_(features), columns_(features + (intercept ? 1 : 0)) {}
  virtual ~PanelSource() = default;

  size_t rows() const { return rows_; }
  size_t features() const { return features_; }
  size_t columns() const { return columns_; }
  size_t block_rows() const { return panel_rows(columns_, sizeof(double)); }

  // Fills the block with up to block_rows() rows. Throws NotFinite.
  void load(size_t begin, size_t rows, PanelBlock& block) const;

  // Runs fold(block, shard, sums) on every block of rows and finish(block, sums) at the end of each shard;
  // the shards' sums of `size` doubles meet in the fixed tree. work: about the multiplications a row costs.
  template <class Fold, class Finish>
  std::vector<double> fold(size_t size, size_t work, const Fold& fold, const Finish& finish) const;
  // How the rows are cut for a fold.
  Shards shards(size_t size, size_t work) const;

 private:
  virtual void pack(size_t begin, size_t rows, double* panel, size_t ld) const = 0;

  size_t rows_, features_, columns_;
};

template <class T>
class DensePanels : public PanelSource {
 public:
  // shift: subtracted from the columns; empty for none.
  DensePanels(MatrixView<T> x, bool intercept, std::vector<double> shift)
      : PanelSource(x.rows, x.cols, intercept), x_(x), shift_(std::move(shift)) {}

 private:
  void pack(size_t begin, size_t rows, double* panel, size_t ld) const override;

  MatrixView<T> x_;
  std::vector<double> shift_;
};

template <class T>
class CsrPanels : public PanelSource {
 public:
  CsrPanels(const CsrView<T>& x, bool intercept) : PanelSource(x.rows, x.cols, intercept), x_(x) {}

 private:
  void pack(size_t begin, size_t rows, double* panel, size_t ld) const override;

  CsrView<T> x_;
};

template <class Fold, class Finish>
std::vector<double> PanelSource::fold(size_t size, size_t work, const Fold& fold,
                                      const Finish& finish) const {
  const Shards cut = shards(size, work);
  std::vector<double> sums(cut.count() * size, 0.0);
  std::vector<std::unique_ptr<PanelBlock>> blocks(static_cast<size_t>(num_threads()));
  parallel_for(cut.count(), [&](size_t shard, int worker) {
    auto& own = blocks[static_cast<size_t>(worker)];
    if (!own) own = std::make_unique<PanelBlock>();
    for (size_t begin = cut.begin(shard); begin < cut.end(shard); begin += block_rows()) {
      load(begin, std::min(block_rows(), cut.end(shard) - begin), *own);
      fold(*own, shard, sums.data() + shard * size);
    }
    finish(*own, sums.data() + shard * size);
  });
  combine_tree(sums.data(), cut.count(), size);
  sums.resize(size);
  return sums;
}

}  // namespace maas
