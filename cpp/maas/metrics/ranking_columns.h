// Ranking metrics of one vector, of every column or row of a matrix, and of every pair of classes.
#pragma once

#include <vector>

#include "maas/metrics/array_view.h"
#include "maas/metrics/ranking.h"

namespace maas {

struct RankingResult {
  double score;    // NaN without a class that is needed
  bool positives;  // some row of weight is positive, or negative
  bool negatives;
};

// Labels equal to `positive` against all others. `weights` may be empty; rows of weight 0 count for nothing.
// Throws NotFinite for scores that are NaN or infinity. max_fpr as in ranking.h.
RankingResult rank_vector(RankingMetric metric, const ArrayView& labels, int64_t positive,
                          const ArrayView& scores, const ArrayView& weights, double max_fpr);

// Column j of the labels, positive where 1, ranked by column j of the scores.
std::vector<RankingResult> rank_columns(RankingMetric metric, const ArrayMatrix& labels,
                                        const ArrayMatrix& scores, const ArrayView& weights, double max_fpr);
// The same by rows, unweighted.
std::vector<RankingResult> rank_rows(RankingMetric metric, const ArrayMatrix& labels,
                                     const ArrayMatrix& scores, double max_fpr);
// Each of the classes 0, 1, ... in `labels` against the rest, ranked by the column of its number.
std::vector<RankingResult> rank_classes(RankingMetric metric, const ArrayView& labels,
                                        const ArrayMatrix& scores, const ArrayView& weights);

// Element (a, b), of as many rows and columns as `scores` has: the area under the ROC curve of class a
// against class b alone, ranked by column a; NaN where a class has no rows. Labels must lie in [0, columns).
std::vector<double> roc_auc_pairs(const ArrayView& labels, const ArrayMatrix& scores);

}  // namespace maas
