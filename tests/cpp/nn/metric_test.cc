#include "maas/nn/metric.h"

#include <gtest/gtest.h>

#include <cmath>
#include <vector>

#include "maas/base/error.h"
#include "nn/batch.h"
#include "targets.h"

namespace maas {
namespace {

using test::Batch;

template <class T>
double value(const MetricOptions& options, const Batch<T>& prediction, const Batch<T>& target) {
  MetricSum sum;
  add_metric(options, prediction.view(), target.view(), sum);
  return finish_metric(options, sum);
}

template <class T>
class Metric : public testing::Test {};
using Floats = testing::Types<float, double>;
TYPED_TEST_SUITE(Metric, Floats);

TYPED_TEST(Metric, AccuracyIsThatOfTheFirstLargestOnEveryTarget) {
  using T = TypeParam;
  for (const size_t cols : {2, 3, 10, 16, 17, 40}) {
    const size_t rows = 33;
    Batch<T> prediction(rows, cols), dense(rows, cols), sparse(rows, 1);
    // Few different values, so that there are ties.
    prediction.random(cols, 2).fill([&](size_t i, size_t j) { return std::round(prediction(i, j)); });
    sparse.fill([&](size_t i, size_t) { return i % cols; });
    dense.fill([&](size_t i, size_t j) { return i % cols == j; });
    double hits = 0, top = 0;
    for (size_t i = 0; i < rows; ++i) {
      size_t best = 0, above = 0;
      for (size_t j = 0; j < cols; ++j) {
        if (prediction(i, j) > prediction(i, best)) best = j;
        above += prediction(i, j) > prediction(i, i % cols);
      }
      hits += best == i % cols;
      top += above < 5;
    }
    const auto of = [](const char* name) { return metric_by_name(name, LossKind::kMeanSquaredError, 2); };
    test::for_each_target([&] {
      EXPECT_EQ(value(of("sparse_categorical_accuracy"), prediction, sparse), hits / rows);
      EXPECT_EQ(value(of("categorical_accuracy"), prediction, dense), hits / rows);
      EXPECT_EQ(value(of("sparse_top_k_categorical_accuracy"), prediction, sparse), top / rows);
      EXPECT_EQ(value(of("top_k_categorical_accuracy"), prediction, dense), top / rows);
    });
  }
}

TYPED_TEST(Metric, BinaryAccuracyIsTheMeanOverColumns) {
  using T = TypeParam;
  Batch<T> p(2, 3), t(2, 3);
  p.fill([](size_t i, size_t j) { return std::vector<double>{0.5, 0.6, 0.1, 0.9, 0.2, 0.7}[3 * i + j]; });
  t.fill([](size_t i, size_t j) { return std::vector<double>{0, 1, 1, 1, 0, 0}[3 * i + j]; });
  MetricOptions options;
  options.kind = MetricKind::kBinaryAccuracy;
  EXPECT_DOUBLE_EQ(value(options, p, t), 4.0 / 6);
  options.loss.from_logits = true;  // then all of them are above
  EXPECT_DOUBLE_EQ(value(options, p, t), 3.0 / 6);
}

TYPED_TEST(Metric, NaNAndClassesThatAreNoneAreMisses) {
  using T = TypeParam;
  Batch<T> p(3, 3), t(3, 1);
  p.fill([](size_t i, size_t j) { return i == 0 && j == 0 ? std::nan("") : static_cast<double>(j); });
  t.fill([](size_t i, size_t) { return std::vector<double>{2, 3, -1}[i]; });
  test::for_each_target([&] {
    EXPECT_EQ(value(metric_by_name("sparse_categorical_accuracy", LossKind::kPoisson, 3), p, t), 0);
    EXPECT_EQ(value(metric_by_name("sparse_top_k_categorical_accuracy", LossKind::kPoisson, 3), p, t),
              1 / 3.0);
  });
}

TYPED_TEST(Metric, BatchesAddUp) {
  using T = TypeParam;
  Batch<T> a(2, 2), b(1, 2), zero_a(2, 2), zero_b(1, 2);
  a.fill([](size_t i, size_t) { return i + 1; });
  b.fill([](size_t, size_t) { return 3; });
  for (const auto& [name, want] : std::vector<std::pair<const char*, double>>{
           {"mae", 2.0}, {"mse", 14 / 3.0}, {"root_mean_squared_error", std::sqrt(14 / 3.0)}}) {
    const MetricOptions options = metric_by_name(name, LossKind::kHuber, 2);
    MetricSum sum;
    add_metric(options, a.view(), zero_a.view(), sum);
    add_metric(options, b.view(), zero_b.view(), sum);
    EXPECT_DOUBLE_EQ(finish_metric(options, sum), want) << name;
  }
}

TEST(MetricNames, AccuracyFollowsFromTheLossAndTheColumns) {
  const auto kind = [](const char* name, LossKind loss, size_t cols) {
    return metric_by_name(name, loss, cols).kind;
  };
  EXPECT_EQ(kind("accuracy", LossKind::kBinaryCrossentropy, 1), MetricKind::kBinaryAccuracy);
  EXPECT_EQ(kind("acc", LossKind::kCategoricalCrossentropy, 4), MetricKind::kCategoricalAccuracy);
  EXPECT_EQ(kind("accuracy", LossKind::kSparseCategoricalCrossentropy, 4),
            MetricKind::kSparseCategoricalAccuracy);
  EXPECT_EQ(metric_by_name("mae", LossKind::kMeanSquaredError, 1).loss.kind, LossKind::kMeanAbsoluteError);
  EXPECT_THROW(metric_by_name("auc", LossKind::kBinaryCrossentropy, 1), Error);
}

}  // namespace
}  // namespace maas
