#include "maas/metrics/thresholds.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "maas/base/error.h"
#include "maas/base/interrupt.h"
#include "maas/base/view.h"
#include "maas/kernels/sort.h"
#include "maas/metrics/threshold_walk.h"

namespace maas {
namespace {

constexpr size_t kPollRows = size_t{1} << 20;

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

// The rows that have weight.
template <class T>
struct WeightedRows {
  explicit WeightedRows(size_t most) : scores(most), weights(most), is_positive(most) {}
  AlignedBuffer<T> scores;
  AlignedBuffer<double> weights;
  AlignedBuffer<uint8_t> is_positive;
  size_t size = 0;
};

template <class T>
WeightedRows<T> read_weighted(const ArrayView& labels, int64_t positive, const ArrayView& scores,
                              const ArrayView& weights) {
  WeightedRows<T> rows(scores.size);
  int64_t label_block[kBlockRows];
  double score_block[kBlockRows], weight_block[kBlockRows];
  double finite = 0;  // x * 0 is NaN for NaN and infinity
  for (size_t begin = 0; begin < scores.size; begin += kBlockRows) {
    poll_interrupt();
    const size_t n = std::min(kBlockRows, scores.size - begin);
    const int64_t* label = read_labels(labels, begin, n, label_block);
    if (!label) throw_invalid("ranking", "expected integer labels");
    const double* score = read_doubles(scores, begin, n, score_block);
    const double* weight = read_doubles(weights, begin, n, weight_block);
    for (size_t i = 0; i < n; ++i) {
      const double value = load_unaligned(score + i), w = load_unaligned(weight + i);
      finite += value * 0;
      rows.scores[rows.size] = static_cast<T>(value) + T{0};  // -0 becomes 0
      rows.weights[rows.size] = w;
      rows.is_positive[rows.size] = load_unaligned(label + i) == positive;
      rows.size += w != 0;
    }
  }
  if (finite != 0) throw NotFinite("y_score");
  return rows;
}

template <class T>
ThresholdSums scan_weighted(const WeightedRows<T>& rows) {
  if (rows.size > UINT32_MAX) throw_invalid("ranking", "expected fewer than 2^32 weighted rows");
  AlignedBuffer<uint32_t> index(rows.size);
  argsort(rows.scores.data(), rows.size, SortOrder::kDescending, index.data());
  PointWriter writer(rows.size);
  double sums[2] = {0, 0};  // negatives, positives
  for (size_t r = 0; r < rows.size; ++r) {
    if (r % kPollRows == 0) poll_interrupt();
    const size_t i = index[r];
    sums[rows.is_positive[i]] += rows.weights[i];
    writer.add(static_cast<double>(rows.scores[i]), sums[1], sums[0]);
  }
  return writer.finish();
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
  Trapezoids result;
  double x_block[kBlockRows], y_block[kBlockRows];
  // Blocks share the point between them.
  for (size_t begin = 0; begin + 1 < x.size; begin += kBlockRows - 1) {
    poll_interrupt();
    const size_t n = std::min(kBlockRows, x.size - begin);
    const double* u = read_doubles(x, begin, n, x_block);
    const double* v = read_doubles(y, begin, n, y_block);
    double twice = 0;
    for (size_t i = 1; i < n; ++i) {
      const double step = load_unaligned(u + i) - load_unaligned(u + i - 1);
      twice += step * (load_unaligned(v + i) + load_unaligned(v + i - 1));
      result.rises |= step > 0;
      result.falls |= step < 0;
    }
    result.area += twice / 2;
  }
  return result;
}

}  // namespace maas
