// Metrics of one score a class, row by row: the multiclass hinge loss and whether the true class is among the
// k best.
#pragma once

#include "maas/metrics/array_view.h"

namespace maas {

struct RowScoreSums {
  double weight = 0;
  double value = 0;    // sum of weight * loss, or of the weights of the hits
  bool finite = true;  // every score is; otherwise the sums mean nothing
};

// Scores of shape (n, classes), labels in [0, classes); `weight` may be empty. Loss of a row: 1 minus the
// margin between the score of its class and the greatest other (Crammer and Singer), at least 0. One column
// is the decision value of class 1 of two.
RowScoreSums hinge_loss_sums(const ArrayView& labels, const ArrayMatrix& scores, const ArrayView& weight);

// A hit: fewer than k classes score higher, or the same with a greater number.
RowScoreSums top_k_sums(const ArrayView& labels, const ArrayMatrix& scores, size_t k,
                        const ArrayView& weight);

}  // namespace maas
