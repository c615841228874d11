// Areas under curves from a walk down the distinct scores. A walk takes fn(true positives, false positives)
// and calls it once a score, highest first, with the weights at or above it.
#pragma once

#include <algorithm>

namespace maas {

// Both classes must have weight. max_fpr in (0, 1]: area up to that false positive rate, standardised after
// McClish when below 1.
template <class Walk>
double area_under_roc(Walk&& walk, double max_fpr) {
  double positives = 0, negatives = 0;
  walk([&](double tp, double fp) {
    positives = tp;
    negatives = fp;
  });
  const double limit = max_fpr * negatives;
  double area = 0, tp_before = 0, fp_before = 0;
  walk([&](double tp, double fp) {
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

// The positives must have weight.
template <class Walk>
double average_precision_of(Walk&& walk) {
  double sum = 0, before = 0;
  walk([&](double tp, double fp) {
    if (tp > before) sum += (tp - before) * (tp / (tp + fp));
    before = tp;
  });
  return sum / before;
}

}  // namespace maas
