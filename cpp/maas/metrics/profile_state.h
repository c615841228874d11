// One state a column of what a model takes and gives, updated straight from the memory of a run.
#pragma once

#include <cstddef>
#include <variant>
#include <vector>

#include "maas/metrics/category_state.h"
#include "maas/metrics/histogram_state.h"

namespace maas {

// A column of a batch: numbers of any type, or texts; any strides, any alignment. One without data was not
// computed.
using ProfileColumn = std::variant<ArrayView, TextView>;

using ColumnState = std::variant<HistogramState, CategoryState>;

// Copies are states of their own. One thread at a time: threads that update at once each have a shard, made
// by empty(), and whoever reads merges copies of them under the shards' locks. Counts are the same whatever
// the shards and the order.
class ProfileState {
 public:
  explicit ProfileState(std::vector<ColumnState> columns) : columns_(std::move(columns)) {}

  const std::vector<ColumnState>& columns() const { return columns_; }
  // `batch`: one a column, in their order. A column of the other kind counts as missing numbers, or as unseen
  // categories. No allocation, no exception, no lock.
  void update(const ProfileColumn* batch) noexcept;
  // Throws InvalidArgument, with nothing merged, unless all columns have the same configuration.
  void merge(const ProfileState& other);
  // The same columns with nothing counted.
  ProfileState empty() const;

 private:
  std::vector<ColumnState> columns_;
};

}  // namespace maas
