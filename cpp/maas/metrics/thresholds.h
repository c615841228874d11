// The scan behind every curve: what is scored at or above each distinct score, from one sort.
#pragma once

#include "maas/base/aligned.h"
#include "maas/metrics/array_view.h"
#include "maas/metrics/ranking.h"

namespace maas {

// Element 0 is the point above all scores: nothing positive, score infinity. Elements 1 to size - 1 are the
// distinct scores, highest first, with the weight of the positives and of the negatives at or above each.
struct ThresholdSums {
  AlignedBuffer<double> true_positives, false_positives, scores;
  size_t size = 0;
};

// Unweighted sums are whole numbers, weighted ones are added in the order of the scores, rows of one score in
// their own order. Rows of weight 0 are left out. `weights` may be empty, negative ones are added as they
// are. Throws NotFinite for scores that are NaN or infinity.
ThresholdSums threshold_sums(const ArrayView& labels, int64_t positive, const ArrayView& scores,
                             const ArrayView& weights);

// Areas from the same sums; NaN without a class that is needed.
double ranking_score(RankingMetric metric, const ThresholdSums& sums, double max_fpr);

// Which points of a curve a straight line through their neighbours makes needless.
enum class Drop {
  kCollinear,          // of ROC: both differences to the neighbours are the same
  kSameTruePositives,  // of precision and recall: as many true positives as both neighbours
};
// Removes such points among [first, size), but not its ends.
void drop_points(ThresholdSums& sums, Drop drop, size_t first);

struct Trapezoids {
  double area = 0;
  bool rises = false;  // x does, somewhere
  bool falls = false;
};
// Area between the points (x, y) and y = 0, counted along x.
Trapezoids trapezoid_area(const ArrayView& x, const ArrayView& y);

}  // namespace maas
