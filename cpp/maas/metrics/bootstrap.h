// What metrics need of many resamples of the same rows: counts of cells, sums of terms, or a ranking score.
// Resamples are tasks of the pool; each is a function of the seed and its number (metrics/resample.h).
#pragma once

#include <cstdint>
#include <vector>

#include "maas/base/view.h"
#include "maas/metrics/ranking.h"

namespace maas {

// Cells of rows that a metric cannot tell apart: out[r * cells + k] is how often resample r draws cell k.
// strata[s] holds the sizes of its cells, one after the other in `out`; as many rows are drawn from a stratum
// as it has. Costs a binomial a cell, whatever the number of rows.
void bootstrap_cells(uint64_t seed, size_t resamples, const std::vector<std::vector<uint64_t>>& strata,
                     int64_t* out);

// out[r * columns + c] = sum over rows of (times drawn) * columns[c][row]. Columns are contiguous, in the
// order of the strata. Each block of rows stays in cache for several resamples, each of which counts how
// often it draws each row and multiplies.
void bootstrap_sums(uint64_t seed, size_t resamples, const std::vector<uint64_t>& strata,
                    const std::vector<const double*>& columns, double* out);

// Rows in the order of one score: ascending for kRocAuc, descending for kAveragePrecision.
struct RankedRows {
  static constexpr uint8_t kPositive = 1;
  // For kRocAuc the first row of those of one score, negatives first; for kAveragePrecision the last.
  static constexpr uint8_t kEdge = 2;

  const uint8_t* flags;   // of each row in this order
  const uint32_t* place;  // where the row comes in the order of the strata; null: in the same place
  const double* weight;   // in this order; null: every row weighs 1
};

// out[r * orders.size() + k]: the score of resample r by the k-th order; NaN without a class it needs.
// Sorting is done: one scan a resample and order.
void bootstrap_ranking(RankingMetric metric, uint64_t seed, size_t resamples,
                       const std::vector<uint64_t>& strata, const std::vector<RankedRows>& orders,
                       double* out);

// out[i] = the metric without row i of the order: a scan for each row.
void jackknife_ranking(RankingMetric metric, const RankedRows& order, size_t rows, double* out);

// The rows of one resample, each as often as it is drawn, in the order of the strata.
void bootstrap_rows(uint64_t seed, uint64_t resample, const std::vector<uint64_t>& strata, int64_t* rows);

}  // namespace maas
