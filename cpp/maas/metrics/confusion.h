// Confusion matrices of small integer labels, which need not be known beforehand.
#pragma once

#include <algorithm>
#include <cstdint>
#include <optional>
#include <vector>

#include "maas/base/interrupt.h"
#include "maas/base/view.h"
#include "maas/kernels/count.h"
#include "maas/metrics/array_view.h"

namespace maas {

// cell (i, j) belongs to true label origin + i and predicted label origin + j.
template <class Cell>
struct ConfusionTable {
  int64_t origin = 0;
  size_t width = 0;
  std::vector<Cell> cells;  // width x width, row-major

  LabelRange range() const;
  Cell& at(int64_t row, int64_t col) { return cells[index(row, col)]; }
  const Cell& at(int64_t row, int64_t col) const { return cells[index(row, col)]; }
  // Widens to hold `wanted` as well; false when that needs more than max_width labels.
  bool include(LabelRange wanted, size_t max_width);

 private:
  size_t index(int64_t row, int64_t col) const {
    return static_cast<size_t>(row - origin) * width + static_cast<size_t>(col - origin);
  }
};

template <class Cell>
LabelRange ConfusionTable<Cell>::range() const {
  if (width == 0) return {};
  return {origin, origin + static_cast<int64_t>(width - 1)};
}

template <class Cell>
bool ConfusionTable<Cell>::include(LabelRange wanted, size_t max_width) {
  if (wanted.max < wanted.min) return true;
  LabelRange all = range();
  if (width > 0 && all.contains(wanted)) return true;
  all.include(wanted);
  const uint64_t last = static_cast<uint64_t>(all.max) - static_cast<uint64_t>(all.min);
  if (last >= max_width) return false;
  ConfusionTable wider;
  wider.origin = all.min;
  wider.width = last + 1;
  wider.cells.resize(wider.width * wider.width);
  for (size_t i = 0; i < width; ++i) {
    for (size_t j = 0; j < width; ++j) {
      wider.at(origin + static_cast<int64_t>(i), origin + static_cast<int64_t>(j)) = cells[i * width + j];
    }
  }
  *this = std::move(wider);
  return true;
}

using PairCounts = ConfusionTable<uint64_t>;

// Labels that lie further apart are counted by the caller, after coding them as 0, 1, 2, ...
inline constexpr size_t kMaxLabels = 1024;

// Counts pairs of labels; nothing when a label is no integer or they span more than kMaxLabels.
std::optional<PairCounts> count_pairs(const ArrayView& truth, const ArrayView& predicted);

// Sums of weights, added in row order: of each pair, shaped as the counts of the same rows, and of each
// predicted and true label on its own, whose last bits those of the pairs do not give.
struct PairWeights {
  ConfusionTable<double> pairs;
  std::vector<double> predicted, truth;  // element i belongs to label pairs.origin + i
};
PairWeights weigh_pairs(const ArrayView& truth, const ArrayView& predicted, const ArrayView& weight,
                        const PairCounts& counts);

// Labels with a count in their row or column, ascending.
std::vector<int64_t> present_labels(const PairCounts& counts);

// The same counts, from the smallest to the largest label present.
PairCounts trimmed(const PairCounts& counts);

// into += from, which must lie inside it.
void add_counts(PairCounts& into, const PairCounts& from);

// Calls fn(true label, predicted label, weight) in row order. The labels must be integers (count_pairs says).
template <class Fn>
void for_weighted_pairs(const ArrayView& truth, const ArrayView& predicted, const ArrayView& weight,
                        Fn&& fn) {
  int64_t truth_block[kBlockRows], predicted_block[kBlockRows];
  double weight_block[kBlockRows];
  for (size_t begin = 0; begin < truth.size; begin += kBlockRows) {
    poll_interrupt();
    const size_t n = std::min(kBlockRows, truth.size - begin);
    const int64_t* t = read_labels(truth, begin, n, truth_block);
    const int64_t* p = read_labels(predicted, begin, n, predicted_block);
    const double* w = read_doubles(weight, begin, n, weight_block);
    for (size_t i = 0; i < n; ++i) fn(load_unaligned(t + i), load_unaligned(p + i), load_unaligned(w + i));
  }
}

}  // namespace maas
