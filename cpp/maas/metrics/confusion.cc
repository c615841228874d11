#include "maas/metrics/confusion.h"

#include <atomic>

#include "maas/base/shards.h"
#include "maas/base/thread_pool.h"

namespace maas {
namespace {

// Histograms up to this many cells are kept kCellLanes times: all copies fit the first-level cache.
constexpr size_t kMaxLaneCells = 2048;
// Fewer rows are counted before a second thread is awake.
constexpr size_t kInlineRows = size_t{1} << 16;

// Counts the blocks that one thread is given, in a table of fixed range.
class PairCounter {
 public:
  explicit PairCounter(LabelRange range) {
    counts_.include(range, kMaxLabels);
    const size_t cells = counts_.cells.size();
    stride_ = cells <= kMaxLaneCells ? cells : 0;
    recent_.assign(stride_ ? kCellLanes * stride_ : cells, 0);
  }
  // False when a label lies outside the range.
  bool count(const int64_t* truth, const int64_t* predicted, size_t n) {
    const LabelRange range = counts_.range();
    if (!range.contains(label_range(truth, n)) || !range.contains(label_range(predicted, n))) return false;
    uint32_t cells[kBlockRows];
    pair_cells(truth, predicted, counts_.origin, static_cast<uint32_t>(counts_.width), n, cells);
    count_cells(cells, n, recent_.data(), stride_);
    recent_rows_ += n;
    if (recent_rows_ > UINT32_MAX - kBlockRows) flush();
    return true;
  }
  const PairCounts& finish() {
    flush();
    return counts_;
  }

 private:
  void flush() {
    const size_t cells = counts_.cells.size();
    for (size_t i = 0; i < recent_.size(); ++i) counts_.cells[i % cells] += recent_[i];
    std::fill(recent_.begin(), recent_.end(), 0);
    recent_rows_ = 0;
  }
  PairCounts counts_;
  std::vector<uint32_t> recent_;  // not yet in counts_; kCellLanes copies, or one when stride_ is 0
  size_t stride_ = 0;
  size_t recent_rows_ = 0;
};

Shards row_shards(size_t rows) { return make_shards(rows, rows <= kInlineRows ? kInlineRows : kBlockRows); }

// Calls fn(worker, true labels, predicted labels, n) for every block. Stops, and returns false, once fn does
// or a label is no integer.
template <class Fn>
bool for_blocks(const ArrayView& truth, const ArrayView& predicted, Fn&& fn) {
  const Shards shards = row_shards(truth.size);
  std::atomic<bool> good{true};
  parallel_for(shards.count(), [&](size_t shard, int worker) {
    int64_t truth_block[kBlockRows], predicted_block[kBlockRows];
    for (size_t begin = shards.begin(shard); begin < shards.end(shard) && good; begin += kBlockRows) {
      const size_t n = std::min(kBlockRows, shards.end(shard) - begin);
      const int64_t* t = read_labels(truth, begin, n, truth_block);
      const int64_t* p = read_labels(predicted, begin, n, predicted_block);
      if (!t || !p || !fn(static_cast<size_t>(worker), t, p, n)) good = false;
    }
  });
  return good;
}

size_t workers(size_t rows) { return row_shards(rows).count() > 1 ? static_cast<size_t>(num_threads()) : 1; }

// The range of a few blocks, first and last among them: nearly always the range of all.
std::optional<LabelRange> sample_range(const ArrayView& truth, const ArrayView& predicted) {
  constexpr size_t kSamples = 16;
  LabelRange range;
  int64_t block[kBlockRows];
  const size_t blocks = (truth.size + kBlockRows - 1) / kBlockRows;
  const size_t samples = std::min(blocks, kSamples);
  for (size_t i = 0; i < samples; ++i) {
    const size_t begin = (samples == 1 ? 0 : i * (blocks - 1) / (samples - 1)) * kBlockRows;
    const size_t n = std::min(kBlockRows, truth.size - begin);
    for (const ArrayView* view : {&truth, &predicted}) {
      const int64_t* labels = read_labels(*view, begin, n, block);
      if (!labels) return std::nullopt;
      range.include(label_range(labels, n));
    }
  }
  return range;
}

std::optional<LabelRange> full_range(const ArrayView& truth, const ArrayView& predicted) {
  std::vector<LabelRange> ranges(workers(truth.size));
  const bool integers =
      for_blocks(truth, predicted, [&](size_t worker, const int64_t* t, const int64_t* p, size_t n) {
        ranges[worker].include(label_range(t, n));
        ranges[worker].include(label_range(p, n));
        return true;
      });
  if (!integers) return std::nullopt;
  for (const LabelRange& range : ranges) ranges[0].include(range);
  return ranges[0];
}

// Nothing when some label lies outside the range.
std::optional<PairCounts> count_within(LabelRange range, const ArrayView& truth, const ArrayView& predicted) {
  // One counter a thread, not a shard: sums of integers come out the same however the shards are dealt.
  std::vector<PairCounter> counters(workers(truth.size), PairCounter(range));
  const bool inside =
      for_blocks(truth, predicted, [&](size_t worker, const int64_t* t, const int64_t* p, size_t n) {
        return counters[worker].count(t, p, n);
      });
  if (!inside) return std::nullopt;
  PairCounts total = counters[0].finish();
  for (size_t i = 1; i < counters.size(); ++i) add_counts(total, counters[i].finish());
  return total;
}

bool narrow(LabelRange range) {
  return static_cast<uint64_t>(range.max) - static_cast<uint64_t>(range.min) < kMaxLabels;
}

}  // namespace

std::optional<PairCounts> count_pairs(const ArrayView& truth, const ArrayView& predicted) {
  if (truth.size == 0) return PairCounts{};
  std::optional<LabelRange> range = sample_range(truth, predicted);
  if (!range || !narrow(*range)) return std::nullopt;
  if (std::optional<PairCounts> counts = count_within(*range, truth, predicted)) return counts;
  range = full_range(truth, predicted);
  if (!range || !narrow(*range)) return std::nullopt;
  return count_within(*range, truth, predicted);
}

PairWeights weigh_pairs(const ArrayView& truth, const ArrayView& predicted, const ArrayView& weight,
                        const PairCounts& counts) {
  PairWeights sums;
  sums.pairs.origin = counts.origin;
  sums.pairs.width = counts.width;
  sums.pairs.cells.assign(counts.cells.size(), 0.0);
  sums.predicted.assign(counts.width, 0.0);
  sums.truth.assign(counts.width, 0.0);
  for_weighted_pairs(truth, predicted, weight, [&](int64_t t, int64_t p, double w) {
    sums.pairs.at(t, p) += w;
    sums.predicted[static_cast<size_t>(p - counts.origin)] += w;
    sums.truth[static_cast<size_t>(t - counts.origin)] += w;
  });
  return sums;
}

PairCounts trimmed(const PairCounts& counts) {
  const std::vector<int64_t> labels = present_labels(counts);
  PairCounts tight;
  if (labels.empty()) return tight;
  tight.origin = labels.front();
  tight.width = static_cast<size_t>(labels.back() - labels.front()) + 1;
  tight.cells.resize(tight.width * tight.width);
  for (const int64_t row : labels) {
    for (const int64_t col : labels) tight.at(row, col) = counts.at(row, col);
  }
  return tight;
}

void add_counts(PairCounts& into, const PairCounts& from) {
  for (size_t i = 0; i < from.width; ++i) {
    for (size_t j = 0; j < from.width; ++j) {
      const auto row = from.origin + static_cast<int64_t>(i), col = from.origin + static_cast<int64_t>(j);
      into.at(row, col) += from.at(row, col);
    }
  }
}

std::vector<int64_t> present_labels(const PairCounts& counts) {
  std::vector<int64_t> labels;
  for (size_t i = 0; i < counts.width; ++i) {
    bool present = false;
    for (size_t j = 0; j < counts.width && !present; ++j) {
      present = counts.cells[i * counts.width + j] != 0 || counts.cells[j * counts.width + i] != 0;
    }
    if (present) labels.push_back(counts.origin + static_cast<int64_t>(i));
  }
  return labels;
}

}  // namespace maas
