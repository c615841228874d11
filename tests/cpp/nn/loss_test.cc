#include "maas/nn/loss.h"

#include <gtest/gtest.h>

#include <cmath>
#include <vector>

#include "kernels/loss_reference.h"
#include "maas/base/error.h"
#include "maas/base/thread_pool.h"
#include "nn/batch.h"
#include "targets.h"

namespace maas {
namespace {

using test::Batch;

// Predictions in (0, 1) and targets in [0, 1] suit every kind.
template <class T>
struct Rows {
  Batch<T> prediction, target, gradient;
  std::vector<T> weight;

  Rows(LossKind kind, size_t rows, size_t cols)
      : prediction(rows, cols), target(rows, target_cols(kind, cols)), gradient(rows, cols), weight(rows) {
    prediction.random(1, 0.45).fill([&](size_t i, size_t j) { return 0.5 + prediction(i, j); });
    target.fill([&](size_t i, size_t j) {
      if (kind == LossKind::kSparseCategoricalCrossentropy) return i % cols;
      return (i + 2 * j) % 3 == 0 ? size_t{1} : size_t{0};
    });
    for (size_t i = 0; i < rows; ++i) weight[i] = static_cast<T>(0.5 + static_cast<double>(i % 4));
  }
  LossBatch<T> batch(bool weighted, bool with_gradient = true) {
    return {prediction.view(), target.view(), weighted ? weight.data() : nullptr,
            with_gradient ? gradient.matrix() : BatchMatrix<T>{}};
  }
};

double mean(const LossSum& sum) { return sum.loss / sum.weight; }

TEST(Loss, GradientIsTheSlopeOfTheMean) {
  for (const test::LossCase& c : test::kLossCases) {
    for (const size_t cols : {1, 4, 20}) {
      for (const bool by_weight : {false, true}) {
        LossOptions options;
        options.kind = c.kind, options.from_logits = c.from_logits;
        options.label_smoothing = static_cast<double>(c.smoothing);
        options.delta = 0.2, options.scale = 0.5, options.mean_by_weight = by_weight;
        Rows<double> rows(c.kind, 5, cols);
        compute_loss(options, rows.batch(true));
        for (size_t i = 0; i < 5; ++i) {
          for (size_t j = 0; j < cols; ++j) {
            double& p = rows.prediction(i, j);
            const double at = p, h = 1e-6;
            p = at + h;
            const double high = mean(compute_loss(options, rows.batch(true, false)));
            p = at - h;
            const double low = mean(compute_loss(options, rows.batch(true, false)));
            p = at;
            ASSERT_NEAR(rows.gradient(i, j), (high - low) / (2 * h), 1e-8)
                << static_cast<int>(c.kind) << " " << i << " " << j;
          }
        }
      }
    }
  }
}

TEST(Loss, MeansOverColumnsRowsAndWeights) {
  Rows<double> rows(LossKind::kMeanSquaredError, 6, 3);
  double plain = 0, weighted = 0, total = 0;
  for (size_t i = 0; i < 6; ++i) {
    double row = 0;
    for (size_t j = 0; j < 3; ++j) row += std::pow(rows.prediction(i, j) - rows.target(i, j), 2) / 3;
    plain += row;
    weighted += rows.weight[i] * row;
    total += rows.weight[i];
  }
  LossOptions options;
  LossSum sum = compute_loss(options, rows.batch(false));
  EXPECT_NEAR(sum.loss, plain, 1e-14);
  EXPECT_EQ(sum.weight, 6);
  sum = compute_loss(options, rows.batch(true));
  EXPECT_NEAR(sum.loss, weighted, 1e-14);
  EXPECT_EQ(sum.weight, 6);  // Keras divides by the rows
  options.mean_by_weight = true, options.scale = 0.5;
  sum = compute_loss(options, rows.batch(true));
  EXPECT_NEAR(sum.loss, weighted / 2, 1e-14);
  EXPECT_EQ(sum.weight, total);
}

TEST(Loss, GradientsHaveAScaleOfTheirOwn) {
  Rows<double> rows(LossKind::kMeanSquaredError, 4, 3);
  LossOptions options;
  const LossSum one = compute_loss(options, rows.batch(true));
  const std::vector<double> gradient = rows.gradient.plain();
  options.gradient_scale = 4;
  const LossSum four = compute_loss(options, rows.batch(true));
  EXPECT_EQ(four.loss, one.loss);
  for (size_t i = 0; i < gradient.size(); ++i) EXPECT_EQ(rows.gradient.plain()[i], 4 * gradient[i]);
}

TEST(Loss, RowsWithoutWeightLeaveNoGradient) {
  Rows<double> rows(LossKind::kMeanSquaredError, 3, 2);
  rows.weight = {0, 0, 0};
  LossOptions options;
  options.mean_by_weight = true;
  const LossSum sum = compute_loss(options, rows.batch(true));
  EXPECT_EQ(sum.loss, 0);
  EXPECT_EQ(rows.gradient.plain(), std::vector<double>(6, 0));
}

TEST(Loss, SameBitsOnThreadsAndTargets) {
  const int before = num_threads();
  for (const test::LossCase& c : test::kLossCases) {
    LossOptions options;
    options.kind = c.kind, options.from_logits = c.from_logits, options.mean_by_weight = true;
    for (const size_t cols : {1, 40}) {
      Rows<float> rows(c.kind, 9000, cols);
      test::expect_same_bits_on_fma_targets([&] {
        std::vector<double> reference;
        for (const int threads : {1, 2, 4}) {
          set_num_threads(threads);
          const LossSum sum = compute_loss(options, rows.batch(true));
          std::vector<double> out{sum.loss, sum.weight};
          for (const float g : rows.gradient.plain()) out.push_back(g);
          if (reference.empty()) reference = out;
          EXPECT_EQ(out, reference);
        }
        return reference;
      });
    }
  }
  set_num_threads(before);
}

TEST(Loss, NamesAreKerass) {
  EXPECT_EQ(loss_by_name("mse"), LossKind::kMeanSquaredError);
  EXPECT_EQ(loss_by_name("mean_absolute_error"), LossKind::kMeanAbsoluteError);
  EXPECT_EQ(loss_by_name("kl_divergence"), LossKind::kKlDivergence);
  try {
    loss_by_name("mape");
    FAIL();
  } catch (const Error& error) {
    EXPECT_NE(std::string(error.what()).find("huber"), std::string::npos);
    EXPECT_NE(std::string(error.what()).find("mape"), std::string::npos);
  }
  EXPECT_EQ(target_cols(LossKind::kSparseCategoricalCrossentropy, 7), 1u);
  EXPECT_EQ(target_cols(LossKind::kCategoricalCrossentropy, 7), 7u);
}

TEST(Loss, NoRowsAreNoLoss) {
  Rows<double> rows(LossKind::kPoisson, 0, 3);
  const LossSum sum = compute_loss(LossOptions{}, rows.batch(true));
  EXPECT_EQ(sum.loss, 0);
  EXPECT_EQ(sum.weight, 0);
}

}  // namespace
}  // namespace maas
