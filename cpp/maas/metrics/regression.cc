#include "maas/metrics/regression.h"

#include <algorithm>
#include <vector>

#include "maas/base/shards.h"
#include "maas/base/thread_pool.h"
#include "maas/base/view.h"
#include "maas/kernels/error_sums.h"

namespace maas {
namespace {

constexpr size_t kInlineRows = size_t{1} << 14;

struct Block {
  const double* y;
  const double* predicted;
  const double* weight;  // may be null
  size_t rows;
};

// Chan's rule for the mean and spread of two groups together.
Moments joined(const Moments& a, double weight_a, const Moments& b, double weight_b) {
  const double distance = b.mean - a.mean;
  const double share = weight_b / (weight_a + weight_b);
  return {a.mean + distance * share, a.spread + b.spread + distance * distance * weight_a * share};
}

RegressionSums joined(RegressionMetric metric, const RegressionSums& a, const RegressionSums& b) {
  RegressionSums sums = a;
  sums.weight += b.weight;
  sums.error = metric == RegressionMetric::kMaxError ? std::max(a.error, b.error) : a.error + b.error;
  sums.range.include(b.range);
  if (sums.weight != 0) {
    sums.target = joined(a.target, a.weight, b.target, b.weight);
    sums.distance = joined(a.distance, a.weight, b.distance, b.weight);
  }
  return sums;
}

Moments moments(const double* values, const Block& block, double weight) {
  const double first = load_unaligned(values);  // as centre it makes the spread of a constant exactly 0
  const double mean = first + sum_distance(values, first, block.weight, block.rows) / weight;
  return {mean, sum_spread(values, mean, block.weight, block.rows)};
}

double block_error(RegressionMetric metric, double parameter, const Block& block, double* terms) {
  const auto [y, p, w, n] = block;
  if (metric == RegressionMetric::kSquaredError || metric == RegressionMetric::kR2) {
    return sum_squared_error(y, p, w, n);
  }
  if (metric == RegressionMetric::kAbsoluteError) return sum_absolute_error(y, p, w, n);
  error_terms(term_of(metric), parameter, y, p, n, terms);
  if (metric == RegressionMetric::kMaxError) return *std::max_element(terms, terms + n);
  return sum_distance(terms, 0.0, w, n);
}

RegressionSums block_sums(RegressionMetric metric, double parameter, const Block& block) {
  double terms[kBlockRows];
  RegressionSums sums;
  sums.weight =
      block.weight ? sum_distance(block.weight, 0.0, nullptr, block.rows) : static_cast<double>(block.rows);
  sums.error = block_error(metric, parameter, block, terms);
  const bool explained = metric == RegressionMetric::kExplainedVariance;
  if ((metric == RegressionMetric::kR2 || explained) && sums.weight != 0) {
    sums.target = moments(block.y, block, sums.weight);
    if (explained) sums.distance = moments(terms, block, sums.weight);
  }
  // Other metrics see NaN and infinity in their sum, and take any finite target.
  const bool any_target = explained || metric <= RegressionMetric::kR2;
  if (!any_target) sums.range = target_range(block.y, block.predicted, block.rows);
  return sums;
}

}  // namespace

ErrorTerm term_of(RegressionMetric metric) {
  switch (metric) {
    case RegressionMetric::kAbsoluteError:
    case RegressionMetric::kMaxError: return ErrorTerm::kAbsolute;
    case RegressionMetric::kPercentageError: return ErrorTerm::kPercentage;
    case RegressionMetric::kPinball: return ErrorTerm::kPinball;
    case RegressionMetric::kSquaredLogError: return ErrorTerm::kSquaredLog;
    case RegressionMetric::kPoisson: return ErrorTerm::kPoisson;
    case RegressionMetric::kGamma: return ErrorTerm::kGamma;
    case RegressionMetric::kTweedie: return ErrorTerm::kTweedie;
    case RegressionMetric::kExplainedVariance: return ErrorTerm::kDifference;
    default: return ErrorTerm::kSquared;
  }
}

RegressionSums regression_sums(RegressionMetric metric, double parameter, const ArrayView& y,
                               const ArrayView& predicted, const ArrayView& weight) {
  const Shards shards = make_shards(y.size, y.size <= kInlineRows ? kInlineRows : kBlockRows);
  std::vector<RegressionSums> sums(shards.count());
  parallel_for(shards.count(), [&](size_t shard, int) {
    double y_block[kBlockRows], p_block[kBlockRows], w_block[kBlockRows];
    RegressionSums mine;
    for (size_t begin = shards.begin(shard); begin < shards.end(shard); begin += kBlockRows) {
      const size_t n = std::min(kBlockRows, shards.end(shard) - begin);
      const double* w = weight ? read_doubles(weight, begin, n, w_block) : nullptr;
      const Block rows{read_doubles(y, begin, n, y_block), read_doubles(predicted, begin, n, p_block), w, n};
      const RegressionSums block = block_sums(metric, parameter, rows);
      mine = begin == shards.begin(shard) ? block : joined(metric, mine, block);
    }
    sums[shard] = mine;
  });
  for (size_t step = 1; step < sums.size(); step *= 2) {
    for (size_t i = 0; i + step < sums.size(); i += 2 * step) {
      sums[i] = joined(metric, sums[i], sums[i + step]);
    }
  }
  return sums.empty() ? RegressionSums{} : sums[0];
}

}  // namespace maas
