// Area under the ROC curve and average precision from sorted scores. Unweighted figures come from whole
// counts, ties included, so nothing is rounded before the last division.
#pragma once

#include <optional>
#include <vector>

#include "maas/metrics/array_view.h"

namespace maas {

enum class RankingMetric { kRocAuc, kAveragePrecision };

struct WeightedScore {
  double score;
  double weight;
  bool operator<(const WeightedScore& other) const {
    return score != other.score ? score < other.score : weight < other.weight;
  }
};

// Scores of both classes, each ascending; -0 is stored as 0.
template <class Score>
struct SortedScores {
  std::vector<Score> positives;
  std::vector<Score> negatives;
};

// Splits finite scores by label == positive and sorts both parts; throws NotFinite for NaN or infinity.
// T is the type the scores are compared in: float for float32 scores, which is exact and faster.
template <class T>
SortedScores<T> sort_scores(const ArrayView& labels, int64_t positive, const ArrayView& scores);
// The same with weights; rows of weight 0 are left out.
SortedScores<WeightedScore> sort_scores(const ArrayView& labels, int64_t positive, const ArrayView& scores,
                                        const ArrayView& weights);

template <class T>
double ranking_score(RankingMetric metric, const SortedScores<T>& scores);
// max_fpr in (0, 1]: area up to that false positive rate, standardised after McClish when below 1.
double ranking_score(RankingMetric metric, const SortedScores<WeightedScore>& scores, double max_fpr = 1);

// Every row with weight 1.
SortedScores<WeightedScore> with_unit_weights(const SortedScores<double>& scores);

}  // namespace maas
