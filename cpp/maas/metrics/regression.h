// Sums behind the regression metrics: one pass over blocks of rows for all that a metric needs.
#pragma once

#include "maas/kernels/error_terms.h"
#include "maas/metrics/array_view.h"

namespace maas {

// The order is that of the constants in python/maas_engine/metrics/_targets.py.
enum class RegressionMetric {
  kSquaredError,
  kAbsoluteError,
  kR2,
  kPercentageError,
  kPinball,
  kSquaredLogError,
  kPoisson,
  kGamma,
  kTweedie,
  kExplainedVariance,
  kMaxError,
};

// Weighted mean of values, and the sum of weight * (value - mean)^2. A constant has a spread of exactly 0.
struct Moments {
  double mean = 0;
  double spread = 0;
};

struct RegressionSums {
  double weight = 0;  // number of rows when unweighted
  double error = 0;   // sum of weight * term; the greatest term for kMaxError
  Moments target;     // of y: for kR2 and kExplainedVariance
  Moments distance;   // of y - predicted: for kExplainedVariance
  TargetRange range;
};

// The term that `metric` sums; its parameter is the metric's.
ErrorTerm term_of(RegressionMetric metric);

// `weight` may be empty. `parameter` is kPinball's alpha and kTweedie's power, which is not 0, 1 or 2. Bits
// depend on the data alone: blocks and shards are cut by rows.
RegressionSums regression_sums(RegressionMetric metric, double parameter, const ArrayView& y,
                               const ArrayView& predicted, const ArrayView& weight);

}  // namespace maas
