#include "maas/metrics/ranking_columns.h"

#include <cmath>
#include <limits>

#include "maas/base/error.h"
#include "maas/base/interrupt.h"
#include "maas/base/shards.h"
#include "maas/base/thread_pool.h"
#include "maas/base/view.h"
#include "maas/kernels/sort.h"
#include "maas/metrics/thresholds.h"

namespace maas {
namespace {

constexpr size_t kRowsATask = 256;

template <class T>
RankingResult rank_unweighted(RankingMetric metric, const ArrayView& labels, int64_t positive,
                              const ArrayView& scores) {
  const SortedScores<T> sorted = sort_scores<T>(labels, positive, scores);
  const bool positives = !sorted.positives.empty(), negatives = !sorted.negatives.empty();
  const bool defined = positives && (negatives || metric == RankingMetric::kAveragePrecision);
  return {defined ? ranking_score(metric, sorted) : NAN, positives, negatives};
}

// Runs fn(j) for every column. A column fills one thread, so that several run at once; few columns of many
// rows would leave threads idle, but then the sort inside is cut into tasks.
template <class Fn>
void for_columns(size_t columns, Fn&& fn) {
  const auto threads = static_cast<size_t>(num_threads());
  if (columns < threads) {
    for (size_t j = 0; j < columns; ++j) fn(j);
  } else {
    parallel_for(columns, [&](size_t j, int) { fn(j); });
  }
}

// The scores of one column, class by class, each class ascending.
template <class T>
std::vector<std::vector<T>> sort_by_class(const ArrayView& labels, const ArrayView& scores, size_t classes) {
  std::vector<std::vector<T>> sorted(classes);
  int64_t label_block[kBlockRows];
  double score_block[kBlockRows];
  for (size_t begin = 0; begin < scores.size; begin += kBlockRows) {
    poll_interrupt();
    const size_t n = std::min(kBlockRows, scores.size - begin);
    const int64_t* label = read_labels(labels, begin, n, label_block);
    if (!label) throw_invalid("ranking", "expected integer labels");
    const double* score = read_doubles(scores, begin, n, score_block);
    for (size_t i = 0; i < n; ++i) {
      const double value = load_unaligned(score + i);
      const auto at = static_cast<uint64_t>(load_unaligned(label + i));
      if (at >= classes) throw_invalid("ranking", "expected labels below the number of columns");
      if (!std::isfinite(value)) throw NotFinite("y_score");
      sorted[at].push_back(static_cast<T>(value) + T{0});
    }
  }
  for (std::vector<T>& part : sorted) sort_keys(part.data(), part.size());
  return sorted;
}

template <class T>
void rank_pairs_of(size_t a, const ArrayView& labels, const ArrayMatrix& scores, double* out) {
  std::vector<std::vector<T>> sorted = sort_by_class<T>(labels, scores.column(a), scores.columns);
  SortedScores<T> pair;
  pair.positives.swap(sorted[a]);
  for (size_t b = 0; b < scores.columns; ++b) {
    pair.negatives.swap(sorted[b]);
    const bool defined = b != a && !pair.positives.empty() && !pair.negatives.empty();
    out[b] = defined ? ranking_score(RankingMetric::kRocAuc, pair) : NAN;
    pair.negatives.swap(sorted[b]);
  }
}

}  // namespace

RankingResult rank_vector(RankingMetric metric, const ArrayView& labels, int64_t positive,
                          const ArrayView& scores, const ArrayView& weights, double max_fpr) {
  if (weights || max_fpr != 1) {
    const ThresholdSums sums = threshold_sums(labels, positive, scores, weights);
    const double score = ranking_score(metric, sums, max_fpr);
    return {score, sums.true_positives[sums.size - 1] > 0, sums.false_positives[sums.size - 1] > 0};
  }
  if (scores.type == NumberType::kF32) return rank_unweighted<float>(metric, labels, positive, scores);
  return rank_unweighted<double>(metric, labels, positive, scores);
}

std::vector<RankingResult> rank_columns(RankingMetric metric, const ArrayMatrix& labels,
                                        const ArrayMatrix& scores, const ArrayView& weights, double max_fpr) {
  std::vector<RankingResult> results(scores.columns);
  for_columns(scores.columns, [&](size_t j) {
    results[j] = rank_vector(metric, labels.column(j), 1, scores.column(j), weights, max_fpr);
  });
  return results;
}

std::vector<RankingResult> rank_rows(RankingMetric metric, const ArrayMatrix& labels,
                                     const ArrayMatrix& scores, double max_fpr) {
  std::vector<RankingResult> results(scores.rows());
  const Shards shards{scores.rows(), kRowsATask};
  parallel_for(shards.count(), [&](size_t shard, int) {
    for (size_t i = shards.begin(shard); i < shards.end(shard); ++i) {
      results[i] = rank_vector(metric, labels.row(i), 1, scores.row(i), {}, max_fpr);
    }
  });
  return results;
}

std::vector<RankingResult> rank_classes(RankingMetric metric, const ArrayView& labels,
                                        const ArrayMatrix& scores, const ArrayView& weights) {
  std::vector<RankingResult> results(scores.columns);
  for_columns(scores.columns, [&](size_t j) {
    results[j] = rank_vector(metric, labels, static_cast<int64_t>(j), scores.column(j), weights, 1);
  });
  return results;
}

std::vector<double> roc_auc_pairs(const ArrayView& labels, const ArrayMatrix& scores) {
  std::vector<double> areas(scores.columns * scores.columns);
  for_columns(scores.columns, [&](size_t a) {
    double* out = areas.data() + a * scores.columns;
    if (scores.first_column.type == NumberType::kF32) {
      rank_pairs_of<float>(a, labels, scores, out);
    } else {
      rank_pairs_of<double>(a, labels, scores, out);
    }
  });
  return areas;
}

}  // namespace maas
