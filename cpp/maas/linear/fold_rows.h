// Training rows grouped by the fold that tests them, handed out as panels (kernels/panel.h) of one group
// each, so that a model never computes rows it is not trained on. Holds views of the caller's arrays.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "maas/base/aligned.h"
#include "maas/base/shards.h"
#include "maas/linear/row_objective.h"

namespace maas {

// A block of rows of one group. One thread's.
template <class T>
struct FoldPanel {
  AlignedBuffer<T> x, y, weight, gathered;
  size_t ld = 0;
  const T* weights = nullptr;  // null: ld real rows that count 1
  size_t rows = 0;
  const uint32_t* index = nullptr;  // of the rows within their shard; null: consecutive from `first`
  size_t first = 0;                 // row number of the first row, or of the shard where there is an index
};

// Groups 0 ... folds - 1 are the rows that fold tests, group `folds` those that no fold does.
template <class T>
class FoldRows {
 public:
  // fold_of_row: one id a row, in [-1, folds), or null where folds is 0. Columns are shifted by `shift`
  // (empty: not at all) and followed by a column of ones for the intercept. `work` counts the multiplications
  // a row costs in a pass, which sets how finely the rows are cut. Throws NotFinite for the weights.
  FoldRows(const WeightedRows<T>& rows, bool intercept, const std::vector<double>& shift,
           const int32_t* fold_of_row, size_t folds, size_t work);

  const WeightedRows<T>& rows() const { return rows_; }
  size_t folds() const { return folds_; }
  size_t groups() const { return folds_ + 1; }
  size_t columns() const { return columns_; }
  size_t block_rows() const { return block_rows_; }
  const Shards& shards() const { return shards_; }
  const std::vector<double>& group_weights() const { return group_weights_; }
  double total_weight() const;
  bool has(size_t shard, size_t group) const { return start(shard, group) < start(shard, group + 1); }

  // Calls fn(panel) for the rows of one group in one shard. Throws NotFinite.
  template <class Fn>
  void for_each_panel(size_t shard, size_t group, FoldPanel<T>& panel, const Fn& fn) const {
    const size_t end = start(shard, group + 1);
    for (size_t at = start(shard, group); at < end; at += block_rows_) {
      load(shard, at, std::min(block_rows_, end - at), panel);
      fn(panel);
    }
  }

 private:
  // Offsets in the shard where its groups begin.
  size_t start(size_t shard, size_t group) const { return starts_[shard * (folds_ + 2) + group]; }
  void group_rows(const int32_t* fold_of_row);
  void load(size_t shard, size_t at, size_t count, FoldPanel<T>& panel) const;
  void load_gathered(FoldPanel<T>& panel) const;
  void finish_panel(bool finite_weights, FoldPanel<T>& panel) const;

  WeightedRows<T> rows_;
  size_t folds_;
  bool intercept_;
  std::vector<T> shift_;
  size_t columns_;
  size_t block_rows_;
  Shards shards_;
  std::vector<uint32_t> order_;  // rows of a shard by group, as offsets in the shard; empty without folds
  std::vector<uint32_t> starts_;
  std::vector<double> group_weights_;
};

}  // namespace maas
