#include "maas/metrics/ranking.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "maas/base/aligned.h"
#include "maas/base/error.h"
#include "maas/base/interrupt.h"
#include "maas/base/shards.h"
#include "maas/base/thread_pool.h"
#include "maas/base/view.h"
#include "maas/kernels/sort.h"
#include "maas/metrics/threshold_walk.h"

namespace maas {
namespace {

constexpr size_t kSegment = size_t{1} << 14;  // positives ranked by one task

// Calls fn(labels, scores, n) for each block of rows, in order.
template <class Fn>
void for_score_blocks(const ArrayView& labels, const ArrayView& scores, Fn&& fn) {
  int64_t label_block[kBlockRows];
  double score_block[kBlockRows];
  for (size_t begin = 0; begin < scores.size; begin += kBlockRows) {
    poll_interrupt();
    const size_t n = std::min(kBlockRows, scores.size - begin);
    const int64_t* label = read_labels(labels, begin, n, label_block);
    if (!label) throw_invalid("ranking", "expected integer labels");
    fn(label, read_doubles(scores, begin, n, score_block), n);
  }
}

// Merges positives [begin, end) into the negatives: fn(i, below, taken) at every step, where `below`
// negatives are less than (or_equal: or level with) positive i, and `taken` tells whether that is final.
// Branchless: which of two scores comes next is a coin toss that no predictor guesses. Returns whether a
// positive and a negative are level.
template <bool or_equal, class T, class Fn>
bool merge_segment(const std::vector<T>& positives, size_t begin, size_t end, const std::vector<T>& negatives,
                   Fn&& fn) {
  if (begin == end) return false;
  const auto start = or_equal ? std::upper_bound(negatives.begin(), negatives.end(), positives[begin])
                              : std::lower_bound(negatives.begin(), negatives.end(), positives[begin]);
  const T* positive = positives.data();
  const T* negative = negatives.data();
  const size_t count = negatives.size();
  auto below = static_cast<size_t>(start - negatives.begin());
  size_t i = begin;
  bool level = false;
  while (i < end && below < count) {
    const T p = positive[i], n = negative[below];
    const bool taken = or_equal ? p < n : p <= n;
    level |= p == n;
    fn(i, below, taken);
    below += !taken;
    i += taken;
  }
  for (; i < end; ++i) fn(i, count, true);
  return level;
}

template <bool or_equal, class T>
uint64_t sum_below(const SortedScores<T>& scores, size_t begin, size_t end, bool* level) {
  uint64_t sum = 0;
  *level = merge_segment<or_equal>(
      scores.positives, begin, end, scores.negatives,
      [&](size_t, size_t below, bool taken) { sum += below & (uint64_t{0} - taken); });
  return sum;
}

template <class T>
double roc_auc(const SortedScores<T>& scores) {
  __extension__ using Wide = unsigned __int128;
  const Shards segments{scores.positives.size(), kSegment};
  std::vector<Wide> twice_below(segments.count());  // pairs in the right order count 2, ties 1
  parallel_for(segments.count(), [&](size_t s, int) {
    bool level = false;
    const uint64_t less = sum_below<false>(scores, segments.begin(s), segments.end(s), &level);
    const uint64_t less_equal =
        level ? sum_below<true>(scores, segments.begin(s), segments.end(s), &level) : less;
    twice_below[s] = Wide{less} + less_equal;
  });
  const Wide sum = std::accumulate(twice_below.begin(), twice_below.end(), Wide{0});
  const double pairs =
      static_cast<double>(scores.positives.size()) * static_cast<double>(scores.negatives.size());
  return static_cast<double>(sum) / 2 / pairs;
}

// For each positive, the negatives below it.
template <class T>
AlignedBuffer<size_t> ranks(const SortedScores<T>& scores) {
  const Shards segments{scores.positives.size(), kSegment};
  AlignedBuffer<size_t> ranks(scores.positives.size());
  parallel_for(segments.count(), [&](size_t s, int) {
    size_t* out = ranks.data();
    merge_segment<false>(scores.positives, segments.begin(s), segments.end(s), scores.negatives,
                         [out](size_t i, size_t below, bool) { out[i] = below; });
  });
  return ranks;
}

template <class T>
double average_precision(const SortedScores<T>& scores) {
  const std::vector<T>& positives = scores.positives;
  const AlignedBuffer<size_t> below = ranks(scores);
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

// Ascending by score; among level scores by weight, so that the order does not depend on that of the rows.
std::vector<WeightedScore> sort_pairs(const std::vector<double>& scores, const std::vector<double>& weights) {
  if (scores.size() > UINT32_MAX)
    throw_invalid("ranking", "expected fewer than 2^32 weighted rows of a class");
  AlignedBuffer<uint32_t> index(scores.size());
  argsort(scores.data(), scores.size(), SortOrder::kAscending, index.data());
  std::vector<WeightedScore> pairs;
  pairs.reserve(scores.size());
  for (const uint32_t at : index) pairs.push_back({scores[at], weights[at]});
  for (auto first = pairs.begin(); first != pairs.end();) {
    const auto last =
        std::find_if(first, pairs.end(), [&](const WeightedScore& p) { return p.score != first->score; });
    if (last - first > 1) std::sort(first, last);
    first = last;
  }
  return pairs;
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

}  // namespace

template <class T>
SortedScores<T> sort_scores(const ArrayView& labels, int64_t positive, const ArrayView& scores) {
  AlignedBuffer<T> parts[2] = {AlignedBuffer<T>(scores.size), AlignedBuffer<T>(scores.size)};
  T* negatives = parts[0].data();
  T* positives = parts[1].data();
  T finite = 0;  // x * 0 is NaN for NaN and infinity
  for_score_blocks(labels, scores, [&](const int64_t* label, const double* score, size_t n) {
    // Both stores, one advance: no branch to mispredict.
    T *no = negatives, *yes = positives, sum = 0;
    for (size_t i = 0; i < n; ++i) {
      const T value = static_cast<T>(load_unaligned(score + i)) + T{0};
      const bool is_positive = load_unaligned(label + i) == positive;
      *yes = *no = value;
      yes += is_positive;
      no += !is_positive;
      sum += value * 0;
    }
    negatives = no;
    positives = yes;
    finite += sum;
  });
  if (finite != 0) throw NotFinite("y_score");
  sort_keys(parts[0].data(), static_cast<size_t>(negatives - parts[0].data()));
  sort_keys(parts[1].data(), static_cast<size_t>(positives - parts[1].data()));
  return {{parts[1].data(), positives}, {parts[0].data(), negatives}};
}

SortedScores<WeightedScore> sort_scores(const ArrayView& labels, int64_t positive, const ArrayView& scores,
                                        const ArrayView& weights) {
  struct Part {
    std::vector<double> scores, weights;
  } parts[2];  // negatives, positives
  bool finite = true;
  size_t row = 0;
  for_score_blocks(labels, scores, [&](const int64_t* label, const double* score, size_t n) {
    double weight_block[kBlockRows];
    const double* weight = read_doubles(weights, row, n, weight_block);
    for (size_t i = 0; i < n; ++i) {
      const double value = load_unaligned(score + i), w = load_unaligned(weight + i);
      finite &= std::isfinite(value);
      if (w == 0) continue;
      Part& part = parts[load_unaligned(label + i) == positive];
      part.scores.push_back(value + 0.0);
      part.weights.push_back(w);
    }
    row += n;
  });
  if (!finite) throw NotFinite("y_score");
  return {sort_pairs(parts[1].scores, parts[1].weights), sort_pairs(parts[0].scores, parts[0].weights)};
}

template <class T>
double ranking_score(RankingMetric metric, const SortedScores<T>& scores) {
  return metric == RankingMetric::kRocAuc ? roc_auc(scores) : average_precision(scores);
}

double ranking_score(RankingMetric metric, const SortedScores<WeightedScore>& scores, double max_fpr) {
  const auto walk = [&](auto&& fn) { walk_thresholds(scores, fn); };
  return metric == RankingMetric::kRocAuc ? area_under_roc(walk, max_fpr) : average_precision_of(walk);
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
