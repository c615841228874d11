#include "maas/metrics/ranking.h"

#include <algorithm>
#include <cmath>

#include "maas/base/error.h"
#include "maas/base/shards.h"
#include "maas/base/thread_pool.h"
#include "maas/base/view.h"
#include "maas/kernels/sort.h"

namespace maas {
namespace {

constexpr size_t kSegment = size_t{1} << 14;  // positives ranked by one task

// Calls fn(label is positive, score, weight) for each row, in order.
template <class Fn>
void for_scores(const ArrayView& labels, int64_t positive, const ArrayView& scores, const ArrayView& weights,
                Fn&& fn) {
  int64_t label_block[kBlockRows];
  double score_block[kBlockRows], weight_block[kBlockRows];
  for (size_t begin = 0; begin < scores.size; begin += kBlockRows) {
    const size_t n = std::min(kBlockRows, scores.size - begin);
    const int64_t* label = read_labels(labels, begin, n, label_block);
    if (!label) throw_invalid("ranking", "expected integer labels");
    const double* score = read_doubles(scores, begin, n, score_block);
    const double* weight = weights ? read_doubles(weights, begin, n, weight_block) : nullptr;
    for (size_t i = 0; i < n; ++i) {
      fn(load_unaligned(label + i) == positive, load_unaligned(score + i),
         weight ? load_unaligned(weight + i) : 1.0);
    }
  }
}

// For each positive, the negatives below it and (or_equal) level with it, written in order. Branchless: which
// of two scores comes next is a coin toss that no predictor guesses.
template <class T>
void rank_segment(const T* positives, size_t begin, size_t end, const std::vector<T>& negatives,
                  bool or_equal, size_t* ranks) {
  if (begin == end) return;
  const T first = positives[begin];
  const auto start = or_equal ? std::upper_bound(negatives.begin(), negatives.end(), first)
                              : std::lower_bound(negatives.begin(), negatives.end(), first);
  auto below = static_cast<size_t>(start - negatives.begin());
  size_t i = begin;
  while (i < end && below < negatives.size()) {
    const bool next_negative = or_equal ? negatives[below] <= positives[i] : negatives[below] < positives[i];
    ranks[i] = below;
    below += next_negative;
    i += !next_negative;
  }
  for (; i < end; ++i) ranks[i] = below;
}

template <class T>
std::vector<size_t> ranks(const SortedScores<T>& scores, bool or_equal) {
  const Shards segments{scores.positives.size(), kSegment};
  std::vector<size_t> ranks(scores.positives.size());
  parallel_for(segments.count(), [&](size_t s, int) {
    rank_segment(scores.positives.data(), segments.begin(s), segments.end(s), scores.negatives, or_equal,
                 ranks.data());
  });
  return ranks;
}

template <class T>
double roc_auc(const SortedScores<T>& scores) {
  __extension__ using Wide = unsigned __int128;
  Wide twice_below = 0;  // pairs in the right order count 2, ties 1
  for (const bool or_equal : {false, true}) {
    for (const size_t rank : ranks(scores, or_equal)) twice_below += rank;
  }
  const double pairs =
      static_cast<double>(scores.positives.size()) * static_cast<double>(scores.negatives.size());
  return static_cast<double>(twice_below) / 2 / pairs;
}

template <class T>
double average_precision(const SortedScores<T>& scores) {
  const std::vector<T>& positives = scores.positives;
  const std::vector<size_t> below = ranks(scores, false);
  double sum = 0;
  // From the highest score down; positives level with one another share the precision of their last.
  for (size_t end = positives.size(); end > 0;) {
    size_t begin = end - 1;
    while (begin > 0 && positives[begin - 1] == positives[end - 1]) --begin;
    const auto true_positives = static_cast<double>(positives.size() - begin);
    const auto false_positives = static_cast<double>(scores.negatives.size() - below[begin]);
    sum += static_cast<double>(end - begin) * (true_positives / (true_positives + false_positives));
    end = begin;
  }
  return sum / static_cast<double>(positives.size());
}

// Walks down the distinct scores: fn(true positives, false positives) are the weights at or above each.
template <class Fn>
void walk_thresholds(const SortedScores<WeightedScore>& scores, Fn&& fn) {
  size_t p = scores.positives.size(), n = scores.negatives.size();
  double true_positives = 0, false_positives = 0;
  while (p > 0 || n > 0) {
    const double score = p == 0   ? scores.negatives[n - 1].score
                         : n == 0 ? scores.positives[p - 1].score
                                  : std::max(scores.positives[p - 1].score, scores.negatives[n - 1].score);
    for (; p > 0 && scores.positives[p - 1].score == score; --p)
      true_positives += scores.positives[p - 1].weight;
    for (; n > 0 && scores.negatives[n - 1].score == score; --n)
      false_positives += scores.negatives[n - 1].weight;
    fn(true_positives, false_positives);
  }
}

double average_precision(const SortedScores<WeightedScore>& scores) {
  double sum = 0, before = 0;
  walk_thresholds(scores, [&](double tp, double fp) {
    if (tp > before) sum += (tp - before) * (tp / (tp + fp));
    before = tp;
  });
  return sum / before;
}

double roc_auc(const SortedScores<WeightedScore>& scores, double max_fpr) {
  double positives = 0, negatives = 0;
  walk_thresholds(scores, [&](double tp, double fp) {
    positives = tp;
    negatives = fp;
  });
  const double limit = max_fpr * negatives;
  double area = 0, tp_before = 0, fp_before = 0;
  walk_thresholds(scores, [&](double tp, double fp) {
    if (fp_before < limit) {
      // The last step is cut at the limit, its height found by linear interpolation.
      const double cut = std::min(fp, limit);
      const double tp_cut =
          fp <= limit ? tp : tp_before + (tp - tp_before) * (cut - fp_before) / (fp - fp_before);
      area += (cut - fp_before) * (tp_before + tp_cut) / 2;
    }
    tp_before = tp;
    fp_before = fp;
  });
  area /= positives * negatives;
  if (max_fpr == 1) return area;
  const double least = max_fpr * max_fpr / 2;
  return (1 + (area - least) / (max_fpr - least)) / 2;
}

}  // namespace

template <class T>
SortedScores<T> sort_scores(const ArrayView& labels, int64_t positive, const ArrayView& scores) {
  SortedScores<T> split{std::vector<T>(scores.size), std::vector<T>(scores.size)};
  size_t positives = 0, negatives = 0;
  double finite = 0;  // x * 0 is NaN for NaN and infinity
  for_scores(labels, positive, scores, {}, [&](bool is_positive, double score, double) {
    // Both stores, one advance: no branch to mispredict.
    const T value = static_cast<T>(score) + T{0};
    split.positives[positives] = value;
    split.negatives[negatives] = value;
    positives += is_positive;
    negatives += !is_positive;
    finite += score * 0;
  });
  if (finite != 0) throw NotFinite("y_score");
  split.positives.resize(positives);
  split.negatives.resize(negatives);
  sort_keys(split.positives.data(), positives);
  sort_keys(split.negatives.data(), negatives);
  return split;
}

SortedScores<WeightedScore> sort_scores(const ArrayView& labels, int64_t positive, const ArrayView& scores,
                                        const ArrayView& weights) {
  SortedScores<WeightedScore> split;
  bool finite = true;
  for_scores(labels, positive, scores, weights, [&](bool is_positive, double score, double weight) {
    finite &= std::isfinite(score);
    if (weight != 0) (is_positive ? split.positives : split.negatives).push_back({score + 0.0, weight});
  });
  if (!finite) throw NotFinite("y_score");
  parallel_for(2, [&](size_t task, int) {
    auto& part = task == 0 ? split.positives : split.negatives;
    std::sort(part.begin(), part.end());
  });
  return split;
}

template <class T>
double ranking_score(RankingMetric metric, const SortedScores<T>& scores) {
  return metric == RankingMetric::kRocAuc ? roc_auc(scores) : average_precision(scores);
}

double ranking_score(RankingMetric metric, const SortedScores<WeightedScore>& scores, double max_fpr) {
  return metric == RankingMetric::kRocAuc ? roc_auc(scores, max_fpr) : average_precision(scores);
}

SortedScores<WeightedScore> with_unit_weights(const SortedScores<double>& scores) {
  SortedScores<WeightedScore> weighted;
  for (const double score : scores.positives) weighted.positives.push_back({score, 1.0});
  for (const double score : scores.negatives) weighted.negatives.push_back({score, 1.0});
  return weighted;
}

template SortedScores<float> sort_scores(const ArrayView&, int64_t, const ArrayView&);
template SortedScores<double> sort_scores(const ArrayView&, int64_t, const ArrayView&);
template double ranking_score(RankingMetric, const SortedScores<float>&);
template double ranking_score(RankingMetric, const SortedScores<double>&);

}  // namespace maas
