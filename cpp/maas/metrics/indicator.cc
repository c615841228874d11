#include "maas/metrics/indicator.h"

#include <algorithm>

#include "maas/base/interrupt.h"
#include "maas/base/shards.h"
#include "maas/base/thread_pool.h"
#include "maas/base/view.h"

namespace maas {
namespace {

constexpr size_t kBlockCells = size_t{1} << 13;  // indicators decoded at once, so that they stay in cache
constexpr size_t kShardRows = size_t{1} << 13;
constexpr size_t kLaneCells = 512;      // rows are added side by side until they fill this many counters
constexpr size_t kMostAdditions = 255;  // a byte counts that far

// Decoded indicators of a block of rows of both matrices.
class Block {
 public:
  Block(const ArrayMatrix& truth, const ArrayMatrix& predicted)
      : truth_matrix_(truth),
        predicted_matrix_(predicted),
        rows_(std::max<size_t>(1, kBlockCells / std::max<size_t>(1, truth.columns))),
        truth_(rows_ * truth.columns),
        predicted_(rows_ * truth.columns) {}
  size_t rows() const { return rows_; }
  void read(size_t begin, size_t n) {
    read_nonzero(truth_matrix_, begin, n, truth_.data());
    read_nonzero(predicted_matrix_, begin, n, predicted_.data());
  }
  const uint8_t* truth() const { return truth_.data(); }
  const uint8_t* predicted() const { return predicted_.data(); }

 private:
  const ArrayMatrix& truth_matrix_;
  const ArrayMatrix& predicted_matrix_;
  size_t rows_;
  std::vector<uint8_t> truth_, predicted_;
};

template <class Sum>
IndicatorSums<Sum> zero_sums(size_t size) {
  return {std::vector<Sum>(size), std::vector<Sum>(size), std::vector<Sum>(size)};
}

// Counts labels in bytes, several rows side by side so that few labels still fill a vector.
class LabelCounter {
 public:
  explicit LabelCounter(size_t labels)
      : labels_(labels),
        width_(std::max<size_t>(1, kLaneCells / labels) * labels),
        right_(width_),
        predicted_(width_),
        truth_(width_),
        counts_(zero_sums<int64_t>(labels)) {}
  void add(const uint8_t* truth, const uint8_t* predicted, size_t cells) {
    for (size_t begin = 0; begin < cells; begin += width_) {
      add_lane(truth + begin, predicted + begin, std::min(width_, cells - begin));
    }
  }
  const IndicatorSums<int64_t>& finish() {
    flush();
    return counts_;
  }

 private:
  // Bytes may alias anything: without the promise none of these loops would use vectors.
  void add_lane(const uint8_t* __restrict truth, const uint8_t* __restrict predicted, size_t cells) {
    uint8_t* __restrict r = right_.data(), * __restrict p = predicted_.data(), * __restrict t = truth_.data();
    for (size_t i = 0; i < cells; ++i) r[i] = static_cast<uint8_t>(r[i] + (truth[i] & predicted[i]));
    for (size_t i = 0; i < cells; ++i) p[i] = static_cast<uint8_t>(p[i] + predicted[i]);
    for (size_t i = 0; i < cells; ++i) t[i] = static_cast<uint8_t>(t[i] + truth[i]);
    if (++additions_ == kMostAdditions) flush();
  }
  void flush() {
    for (size_t i = 0; i < width_; ++i) {
      counts_.right[i % labels_] += right_[i];
      counts_.predicted[i % labels_] += predicted_[i];
      counts_.truth[i % labels_] += truth_[i];
    }
    for (std::vector<uint8_t>* bytes : {&right_, &predicted_, &truth_})
      std::fill(bytes->begin(), bytes->end(), 0);
    additions_ = 0;
  }
  size_t labels_, width_;
  std::vector<uint8_t> right_, predicted_, truth_;
  IndicatorSums<int64_t> counts_;
  size_t additions_ = 0;
};

void add_counts(IndicatorSums<int64_t>& into, const IndicatorSums<int64_t>& from) {
  for (size_t j = 0; j < into.right.size(); ++j) {
    into.right[j] += from.right[j];
    into.predicted[j] += from.predicted[j];
    into.truth[j] += from.truth[j];
  }
}

// Calls fn(block, begin, n) over rows [begin, end).
template <class Fn>
void for_row_blocks(Block& block, size_t begin, size_t end, Fn&& fn) {
  for (; begin < end; begin += block.rows()) {
    poll_interrupt();
    const size_t n = std::min(block.rows(), end - begin);
    block.read(begin, n);
    fn(block, begin, n);
  }
}

// Calls on_right(label) for each label that row i of both has.
template <class Fn>
void for_right_labels(const SparseIndicator& truth, const SparseIndicator& predicted, size_t i,
                      Fn&& on_right) {
  const int32_t *t = truth.columns + truth.starts[i], *t_end = truth.columns + truth.starts[i + 1];
  const int32_t* p = predicted.columns + predicted.starts[i];
  const int32_t* p_end = predicted.columns + predicted.starts[i + 1];
  while (t < t_end && p < p_end) {
    if (*t == *p) on_right(static_cast<size_t>(*t));
    const bool next_t = *t <= *p, next_p = *p <= *t;
    t += next_t;
    p += next_p;
  }
}

// Adds rows [begin, end), each with its weight.
template <class Sum, class Weight>
void add_sparse(const SparseIndicator& truth, const SparseIndicator& predicted, size_t begin, size_t end,
                Weight&& weight, IndicatorSums<Sum>* sums) {
  for (size_t i = begin; i < end; ++i) {
    if (i % kShardRows == 0) poll_interrupt();
    const Sum w = weight(i);
    for (int64_t k = truth.starts[i]; k < truth.starts[i + 1]; ++k) {
      sums->truth[static_cast<size_t>(truth.columns[k])] += w;
    }
    for (int64_t k = predicted.starts[i]; k < predicted.starts[i + 1]; ++k) {
      sums->predicted[static_cast<size_t>(predicted.columns[k])] += w;
    }
    for_right_labels(truth, predicted, i, [&](size_t label) { sums->right[label] += w; });
  }
}

// Counts every shard of rows on its own, by fn(begin, end), and adds them.
template <class Fn>
IndicatorSums<int64_t> count_shards(size_t rows, size_t labels, Fn&& fn) {
  const Shards shards = make_shards(rows, kShardRows);
  std::vector<IndicatorSums<int64_t>> counts(shards.count());
  parallel_for(shards.count(),
               [&](size_t shard, int) { counts[shard] = fn(shards.begin(shard), shards.end(shard)); });
  IndicatorSums<int64_t> total = zero_sums<int64_t>(labels);
  for (const IndicatorSums<int64_t>& part : counts) add_counts(total, part);
  return total;
}

// The weight of one row after the other, read in blocks.
class Weights {
 public:
  explicit Weights(const ArrayView& view) : view_(view) {}
  double operator()(size_t row) {
    if (row % kBlockRows == 0)
      now_ = read_doubles(view_, row, std::min(kBlockRows, view_.size - row), buffer_);
    return load_unaligned(now_ + row % kBlockRows);
  }

 private:
  const ArrayView& view_;
  const double* now_ = nullptr;
  double buffer_[kBlockRows];
};

}  // namespace

IndicatorSums<int64_t> count_indicators(const ArrayMatrix& truth, const ArrayMatrix& predicted) {
  return count_shards(truth.rows(), truth.columns, [&](size_t begin, size_t end) {
    Block block(truth, predicted);
    LabelCounter counter(truth.columns);
    for_row_blocks(block, begin, end, [&](const Block& b, size_t, size_t n) {
      counter.add(b.truth(), b.predicted(), n * truth.columns);
    });
    return counter.finish();
  });
}

IndicatorSums<int64_t> count_indicators(const SparseIndicator& truth, const SparseIndicator& predicted) {
  return count_shards(truth.rows, truth.labels, [&](size_t begin, size_t end) {
    IndicatorSums<int64_t> counts = zero_sums<int64_t>(truth.labels);
    add_sparse(truth, predicted, begin, end, [](size_t) { return 1; }, &counts);
    return counts;
  });
}

IndicatorSums<double> weigh_indicators(const ArrayMatrix& truth, const ArrayMatrix& predicted,
                                       const ArrayView& weight) {
  const size_t labels = truth.columns;
  IndicatorSums<double> sums = zero_sums<double>(labels);
  Block block(truth, predicted);
  Weights weights(weight);
  for_row_blocks(block, 0, truth.rows(), [&](const Block& b, size_t begin, size_t n) {
    for (size_t i = 0; i < n; ++i) {
      const double w = weights(begin + i);
      const uint8_t *t = b.truth() + i * labels, *p = b.predicted() + i * labels;
      // Products with 0 or 1 are exact, and no branch waits for the labels.
      for (size_t j = 0; j < labels; ++j) {
        sums.truth[j] += w * t[j];
        sums.predicted[j] += w * p[j];
        sums.right[j] += w * (t[j] & p[j]);
      }
    }
  });
  return sums;
}

IndicatorSums<double> weigh_indicators(const SparseIndicator& truth, const SparseIndicator& predicted,
                                       const ArrayView& weight) {
  IndicatorSums<double> sums = zero_sums<double>(truth.labels);
  add_sparse(truth, predicted, 0, truth.rows, Weights(weight), &sums);
  return sums;
}

void count_row_labels(const ArrayMatrix& truth, const ArrayMatrix& predicted, const RowCounts& out) {
  const Shards shards = make_shards(truth.rows(), kShardRows);
  const size_t labels = truth.columns;
  parallel_for(shards.count(), [&](size_t shard, int) {
    Block block(truth, predicted);
    for_row_blocks(block, shards.begin(shard), shards.end(shard),
                   [&](const Block& b, size_t begin, size_t n) {
                     for (size_t i = 0; i < n; ++i) {
                       const uint8_t *t = b.truth() + i * labels, *p = b.predicted() + i * labels;
                       uint32_t right = 0, predictions = 0, truths = 0;
                       for (size_t j = 0; j < labels; ++j) {
                         truths += t[j];
                         predictions += p[j];
                         right += t[j] & p[j];
                       }
                       out.right[begin + i] = right;
                       out.predicted[begin + i] = predictions;
                       out.truth[begin + i] = truths;
                     }
                   });
  });
}

void count_row_labels(const SparseIndicator& truth, const SparseIndicator& predicted, const RowCounts& out) {
  const Shards shards = make_shards(truth.rows, kShardRows);
  parallel_for(shards.count(), [&](size_t shard, int) {
    for (size_t i = shards.begin(shard); i < shards.end(shard); ++i) {
      out.truth[i] = truth.starts[i + 1] - truth.starts[i];
      out.predicted[i] = predicted.starts[i + 1] - predicted.starts[i];
      out.right[i] = 0;
      for_right_labels(truth, predicted, i, [&](size_t) { ++out.right[i]; });
    }
  });
}

}  // namespace maas
