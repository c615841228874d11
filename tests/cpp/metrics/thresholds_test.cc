#include "maas/metrics/thresholds.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <vector>

#include "maas/base/error.h"
#include "maas/metrics/indicator.h"
#include "maas/metrics/ranking_columns.h"

namespace maas {
namespace {

template <class T>
ArrayView view_of(const std::vector<T>& values, NumberType type) {
  return {reinterpret_cast<const std::byte*>(values.data()), values.size(), sizeof(T), type};
}

struct Rows {
  std::vector<int64_t> labels;
  std::vector<double> scores, weights;

  ArrayView label_view() const { return view_of(labels, NumberType::kI64); }
  ArrayView score_view() const { return view_of(scores, NumberType::kF64); }
  ArrayView weight_view() const { return weights.empty() ? ArrayView{} : view_of(weights, NumberType::kF64); }
};

// Scores with ties, a third of the rows positive, some of them without weight.
Rows some_rows(size_t n, bool weighted) {
  Rows rows;
  uint64_t state = 1;
  for (size_t i = 0; i < n; ++i) {
    state = state * 6364136223846793005u + 1442695040888963407u;
    rows.labels.push_back(static_cast<int64_t>((state >> 33) % 3 == 0));
    rows.scores.push_back(static_cast<double>((state >> 40) % (n / 2 + 1)) - 3.0);
    if (weighted) rows.weights.push_back(static_cast<double>((state >> 50) % 4) / 2);
  }
  return rows;
}

// The weight of a class scored at or above a threshold, by its definition. Halves add without rounding.
double at_or_above(const Rows& rows, double threshold, int64_t label) {
  double sum = 0;
  for (size_t i = 0; i < rows.labels.size(); ++i) {
    const double weight = rows.weights.empty() ? 1.0 : rows.weights[i];
    if (rows.labels[i] == label && rows.scores[i] >= threshold) sum += weight;
  }
  return sum;
}

TEST(Thresholds, SumsAreThoseOfTheDefinition) {
  for (const bool weighted : {false, true}) {
    for (const size_t n : {1, 2, 3, 17, 200}) {
      const Rows rows = some_rows(n, weighted);
      const ThresholdSums sums = threshold_sums(rows.label_view(), 1, rows.score_view(), rows.weight_view());
      EXPECT_EQ(sums.scores[0], std::numeric_limits<double>::infinity());
      EXPECT_EQ(sums.true_positives[0] + sums.false_positives[0], 0.0);
      for (size_t i = 1; i < sums.size; ++i) {
        EXPECT_LT(sums.scores[i], sums.scores[i - 1]);
        EXPECT_EQ(sums.true_positives[i], at_or_above(rows, sums.scores[i], 1));
        EXPECT_EQ(sums.false_positives[i], at_or_above(rows, sums.scores[i], 0));
      }
    }
  }
}

TEST(Thresholds, DroppedPointsLieBetweenTheirNeighbours) {
  const Rows rows = some_rows(300, false);
  for (const Drop drop : {Drop::kCollinear, Drop::kSameTruePositives}) {
    const ThresholdSums all = threshold_sums(rows.label_view(), 1, rows.score_view(), {});
    ThresholdSums fewer = threshold_sums(rows.label_view(), 1, rows.score_view(), {});
    drop_points(fewer, drop, 0);
    EXPECT_LT(fewer.size, all.size);
    EXPECT_EQ(fewer.scores[0], all.scores[0]);
    EXPECT_EQ(fewer.scores[fewer.size - 1], all.scores[all.size - 1]);
    if (drop != Drop::kCollinear) continue;
    EXPECT_NEAR(ranking_score(RankingMetric::kRocAuc, fewer, 1),
                ranking_score(RankingMetric::kRocAuc, all, 1), 1e-14);
  }
}

TEST(Thresholds, ScoresThatAreNotFiniteAreRefused) {
  for (const double bad : {std::nan(""), std::numeric_limits<double>::infinity()}) {
    for (const bool weighted : {false, true}) {
      Rows rows = some_rows(40, weighted);
      rows.scores[39] = bad;
      EXPECT_THROW(threshold_sums(rows.label_view(), 1, rows.score_view(), rows.weight_view()), NotFinite);
    }
  }
}

TEST(Ranking, WeightedScanAgreesWithUnweightedMerge) {
  Rows rows = some_rows(500, false);
  for (const auto metric : {RankingMetric::kRocAuc, RankingMetric::kAveragePrecision}) {
    const auto plain = rank_vector(metric, rows.label_view(), 1, rows.score_view(), {}, 1);
    const std::vector<double> ones(rows.labels.size(), 1.0);
    const ArrayView weight = view_of(ones, NumberType::kF64);
    EXPECT_NEAR(rank_vector(metric, rows.label_view(), 1, rows.score_view(), weight, 1).score, plain.score,
                1e-14);
  }
}

TEST(Trapezoids, BlocksShareTheirPoints) {
  for (const size_t n : {2, 1023, 1024, 1025, 2047, 100'000}) {
    std::vector<double> x(n), y(n);
    for (size_t i = 0; i < n; ++i) {
      x[i] = static_cast<double>(i);
      y[i] = static_cast<double>(2 * i);
    }
    const Trapezoids sum = trapezoid_area(view_of(x, NumberType::kF64), view_of(y, NumberType::kF64));
    const auto last = static_cast<double>(n - 1);
    EXPECT_EQ(sum.area, last * last);
    EXPECT_TRUE(sum.rises);
    EXPECT_FALSE(sum.falls);
  }
}

TEST(Indicators, CountsOfManyRowsDoNotOverflowTheirBytes) {
  for (const size_t labels : {2, 3, 64, 700}) {
    const size_t rows = 3000;
    const std::vector<uint8_t> ones(rows * labels, 7);
    const ArrayMatrix matrix{{reinterpret_cast<const std::byte*>(ones.data()), rows,
                              static_cast<ptrdiff_t>(labels), NumberType::kU8},
                             labels,
                             1};
    const auto counts = count_indicators(matrix, matrix);
    for (size_t j = 0; j < labels; ++j) EXPECT_EQ(counts.right[j], static_cast<int64_t>(rows));
    EXPECT_EQ(counts.truth, counts.predicted);
    const auto values = two_values(matrix);
    ASSERT_TRUE(values);
    EXPECT_EQ(values->first, 7);
    EXPECT_EQ(values->second, 7);
  }
}

}  // namespace
}  // namespace maas
