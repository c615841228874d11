#include "maas/metrics/thresholds.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "maas/base/error.h"
#include "maas/base/interrupt.h"
#include "maas/base/shards.h"
#include "maas/base/thread_pool.h"
#include "maas/base/view.h"
#include "maas/kernels/sort.h"
#include "maas/metrics/threshold_walk.h"

namespace maas {
namespace {

constexpr size_t kPollRows = size_t{1} << 20;
constexpr size_t kAhead = 24;  // rows fetched before they are needed
constexpr size_t kInlinePoints = size_t{1} << 15;

// Writes points in falling order of score; those of one score overwrite each other, so the last one stays.
class PointWriter {
 public:
  explicit PointWriter(size_t most)
      : sums_{AlignedBuffer<double>(most + 1), AlignedBuffer<double>(most + 1),
              AlignedBuffer<double>(most + 1), 0},
        tp_(sums_.true_positives.data()),
        fp_(sums_.false_positives.data()),
        score_(sums_.scores.data()) {
    tp_[0] = fp_[0] = 0.0;
    score_[0] = last_;
  }
  void add(double score, double tp, double fp) {
    at_ += score != last_;
    last_ = score;
    tp_[at_] = tp;
    fp_[at_] = fp;
    score_[at_] = score;
  }
  ThresholdSums finish() {
    sums_.size = at_ + 1;
    return std::move(sums_);
  }

 private:
  ThresholdSums sums_;
  double *tp_, *fp_, *score_;
  double last_ = std::numeric_limits<double>::infinity();
  size_t at_ = 0;
};

// Merges both classes from the top. Branchless where both have rows left: which comes next is a coin toss.
template <class T>
ThresholdSums merge_classes(const SortedScores<T>& scores) {
  const T *positive = scores.positives.data(), *negative = scores.negatives.data();
  const size_t positives = scores.positives.size(), negatives = scores.negatives.size();
  PointWriter writer(positives + negatives);
  size_t p = positives, n = negatives;
  const auto write = [&](T score) {
    writer.add(static_cast<double>(score), static_cast<double>(positives - p),
               static_cast<double>(negatives - n));
  };
  while (p > 0 && n > 0) {
    const T a = positive[p - 1], b = negative[n - 1];
    const bool take_positive = a >= b;
    p -= take_positive;
    n -= !take_positive;
    write(take_positive ? a : b);
  }
  while (p > 0) write(positive[--p]);
  while (n > 0) write(negative[--n]);
  return writer.finish();
}

// A row in one piece of memory: rows are visited in the order of their scores, so each visit is a miss.
template <class T>
struct WeightedRow {
  T score;
  double positive, negative;  // its weight in its class, 0 in the other
};

// The rows that have weight.
template <class T>
struct WeightedRows {
  explicit WeightedRows(size_t most) : scores(most), rows(most) {}
  AlignedBuffer<T> scores;
  AlignedBuffer<WeightedRow<T>> rows;
  size_t size = 0;
};

template <class T>
WeightedRows<T> read_weighted(const ArrayView& labels, int64_t positive, const ArrayView& scores,
                              const ArrayView& weights) {
  WeightedRows<T> read(scores.size);
  int64_t label_block[kBlockRows];
  double score_block[kBlockRows], weight_block[kBlockRows];
  double finite = 0;  // x * 0 is NaN for NaN and infinity
  size_t size = 0;
  for (size_t begin = 0; begin < scores.size; begin += kBlockRows) {
    poll_interrupt();
    const size_t n = std::min(kBlockRows, scores.size - begin);
    const int64_t* label = read_labels(labels, begin, n, label_block);
    if (!label) throw_invalid("ranking", "expected integer labels");
    const double* score = read_doubles(scores, begin, n, score_block);
    const double* weight = read_doubles(weights, begin, n, weight_block);
    for (size_t i = 0; i < n; ++i) {
      const T value = static_cast<T>(load_unaligned(score + i)) + T{0};  // -0 becomes 0
      const double w = load_unaligned(weight + i);
      const bool is_positive = load_unaligned(label + i) == positive;
      finite += static_cast<double>(value) * 0;
      read.scores[size] = value;
      read.rows[size] = {value, is_positive ? w : 0.0, is_positive ? 0.0 : w};
      size += w != 0;
    }
  }
  if (finite != 0) throw NotFinite("y_score");
  read.size = size;
  return read;
}

template <class T>
ThresholdSums scan_weighted(const WeightedRows<T>& read) {
  if (read.size > UINT32_MAX) throw_invalid("ranking", "expected fewer than 2^32 weighted rows");
  AlignedBuffer<uint32_t> index(read.size);
  argsort(read.scores.data(), read.size, SortOrder::kDescending, index.data());
  PointWriter writer(read.size);
  const WeightedRow<T>* rows = read.rows.data();
  double positives = 0, negatives = 0;
  for (size_t r = 0; r < read.size; ++r) {
    if (r % kPollRows == 0) poll_interrupt();
    if (r + kAhead < read.size) __builtin_prefetch(rows + index[r + kAhead]);
    const WeightedRow<T>& row = rows[index[r]];
    positives += row.positive;
    negatives += row.negative;
    writer.add(static_cast<double>(row.score), positives, negatives);
  }
  return writer.finish();
}

// The `steps` steps from point `begin` on, fewer than kBlockRows.
void add_trapezoids(const ArrayView& x, const ArrayView& y, size_t begin, size_t steps, Trapezoids* into) {
  double x_block[kBlockRows], y_block[kBlockRows];
  const double* u = read_doubles(x, begin, steps + 1, x_block);
  const double* v = read_doubles(y, begin, steps + 1, y_block);
  double twice = 0;
  for (size_t i = 1; i <= steps; ++i) {
    const double step = load_unaligned(u + i) - load_unaligned(u + i - 1);
    twice += step * (load_unaligned(v + i) + load_unaligned(v + i - 1));
    into->rises |= step > 0;
    into->falls |= step < 0;
  }
  into->area += twice / 2;
}

}  // namespace

ThresholdSums threshold_sums(const ArrayView& labels, int64_t positive, const ArrayView& scores,
                             const ArrayView& weights) {
  const bool single = scores.type == NumberType::kF32;
  if (weights) {
    if (single) return scan_weighted(read_weighted<float>(labels, positive, scores, weights));
    return scan_weighted(read_weighted<double>(labels, positive, scores, weights));
  }
  if (single) return merge_classes(sort_scores<float>(labels, positive, scores));
  return merge_classes(sort_scores<double>(labels, positive, scores));
}

double ranking_score(RankingMetric metric, const ThresholdSums& sums, double max_fpr) {
  const auto walk = [&](auto&& fn) {
    for (size_t i = 1; i < sums.size; ++i) fn(sums.true_positives[i], sums.false_positives[i]);
  };
  const double positives = sums.true_positives[sums.size - 1],
               negatives = sums.false_positives[sums.size - 1];
  if (metric == RankingMetric::kAveragePrecision) return positives > 0 ? average_precision_of(walk) : NAN;
  return positives > 0 && negatives > 0 ? area_under_roc(walk, max_fpr) : NAN;
}

void drop_points(ThresholdSums& sums, Drop drop, size_t first) {
  if (sums.size < first + 3) return;
  double *tp = sums.true_positives.data(), *fp = sums.false_positives.data(), *score = sums.scores.data();
  size_t out = first + 1;
  double tp_before = tp[first], fp_before = fp[first];
  for (size_t i = first + 1; i + 1 < sums.size; ++i) {
    const double tp_here = tp[i], fp_here = fp[i];
    const double tp_in = tp_here - tp_before, tp_out = tp[i + 1] - tp_here;
    const double fp_in = fp_here - fp_before, fp_out = fp[i + 1] - fp_here;
    const bool keep =
        drop == Drop::kCollinear ? (tp_in != tp_out) | (fp_in != fp_out) : (tp_in != 0) | (tp_out != 0);
    tp[out] = tp_here;
    fp[out] = fp_here;
    score[out] = score[i];
    out += keep;
    tp_before = tp_here;
    fp_before = fp_here;
  }
  tp[out] = tp[sums.size - 1];
  fp[out] = fp[sums.size - 1];
  score[out] = score[sums.size - 1];
  sums.size = out + 1;
}

Trapezoids trapezoid_area(const ArrayView& x, const ArrayView& y) {
  if (x.size < 2) return {};
  const Shards shards = make_shards(x.size - 1, x.size <= kInlinePoints ? kInlinePoints : kBlockRows - 1);
  std::vector<Trapezoids> parts(shards.count());
  parallel_for(shards.count(), [&](size_t shard, int) {
    for (size_t begin = shards.begin(shard); begin < shards.end(shard); begin += kBlockRows - 1) {
      add_trapezoids(x, y, begin, std::min(kBlockRows - 1, shards.end(shard) - begin), &parts[shard]);
    }
  });
  Trapezoids sum;
  for (const Trapezoids& part : parts) {
    sum.area += part.area;
    sum.rises |= part.rises;
    sum.falls |= part.falls;
  }
  return sum;
}

}  // namespace maas
