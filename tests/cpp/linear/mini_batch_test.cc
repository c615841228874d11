#include "maas/linear/mini_batch.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <numeric>
#include <random>
#include <vector>

#include "maas/base/error.h"
#include "maas/base/thread_pool.h"
#include "targets.h"

namespace maas {
namespace {

using Rule = DescentOptions::Rule;

struct Data {
  size_t rows, cols;
  std::vector<double> x, y, weight;

  Data(size_t n, size_t d) : rows(n), cols(d), x(n * d), y(n), weight(n) {
    std::mt19937_64 random(n + d);
    std::normal_distribution<double> normal;
    for (double& v : x) v = normal(random);
    for (size_t i = 0; i < n; ++i) {
      y[i] = 1.0 + normal(random) / 2;
      for (size_t j = 0; j < d; ++j) y[i] += x[i * d + j] * static_cast<double>(j + 1) / 4;
      weight[i] = 0.5 + static_cast<double>(i % 3);
    }
  }
  WeightedRows<double> view() const {
    return {{x.data(), rows, cols, static_cast<ptrdiff_t>(cols), 1},
            {y.data(), rows, 1},
            {weight.data(), rows, 1}};
  }
};

MiniBatchOptions plain(size_t batch) {
  MiniBatchOptions options;
  options.shape = {Loss::kSquared, 1, true};
  options.l2 = 3;
  options.schedule = {Schedule::Kind::kInvScaling, 0.05, 0, 0.5};
  options.batch_rows = batch;
  options.max_epochs = 2;
  options.tolerance = -std::numeric_limits<double>::infinity();
  options.shuffle = false;
  return options;
}

// Momentum, Nesterov's (Sutskever 2013) and Adam (Kingma and Ba 2015) on the squared loss, in long double.
std::vector<long double> reference(const Data& data, const MiniBatchOptions& options) {
  using Real = long double;
  const size_t d = data.cols;
  const Real total = std::accumulate(data.weight.begin(), data.weight.end(), Real{0});
  std::vector<Real> w(d + 1, 0), velocity(d + 1, 0), square(d + 1, 0);
  Real step = 0;
  for (size_t epoch = 0; epoch < options.max_epochs; ++epoch) {
    for (size_t begin = 0; begin < data.rows; begin += options.batch_rows) {
      const size_t end = std::min(data.rows, begin + options.batch_rows);
      std::vector<Real> g(d + 1, 0);
      Real weights = 0;
      for (size_t i = begin; i < end; ++i) {
        Real r = w[d] - data.y[i];
        for (size_t j = 0; j < d; ++j) r += w[j] * data.x[i * d + j];
        for (size_t j = 0; j < d; ++j) g[j] += data.weight[i] * r * data.x[i * d + j];
        g[d] += data.weight[i] * r;
        weights += data.weight[i];
      }
      step += 1;
      const Real eta = options.schedule.eta0 / std::pow(step, Real{options.schedule.power});
      const Real momentum = options.descent.momentum;
      for (size_t j = 0; j <= d; ++j) {
        g[j] = g[j] / weights + (j < d ? options.l2 / total * w[j] : 0);
        if (options.descent.rule == Rule::kAdam) {
          velocity[j] = Real{0.9} * velocity[j] + Real{0.1} * g[j];
          square[j] = Real{0.999} * square[j] + Real{0.001} * g[j] * g[j];
          const Real mean = velocity[j] / (1 - std::pow(Real{0.9}, step));
          w[j] -= eta * mean / (std::sqrt(square[j] / (1 - std::pow(Real{0.999}, step))) + Real{1e-8});
        } else {
          velocity[j] = momentum * velocity[j] - eta * g[j];
          w[j] += options.descent.rule == Rule::kNesterov ? momentum * velocity[j] - eta * g[j] : velocity[j];
        }
      }
    }
  }
  return w;
}

TEST(MiniBatch, FollowsTheUpdateRules) {
  const Data data(130, 7);
  test::for_each_target([&] {
    for (const Rule rule : {Rule::kMomentum, Rule::kNesterov, Rule::kAdam}) {
      for (const size_t batch : {1, 16, 33, 130, 500}) {
        MiniBatchOptions options = plain(batch);
        options.descent.rule = rule;
        options.descent.momentum = 0.8;
        const auto expected = reference(data, options);
        const FitResult result = fit_mini_batch(data.view(), options);
        for (size_t j = 0; j < data.cols; ++j) {
          EXPECT_NEAR(result.coef[j], static_cast<double>(expected[j]), 1e-12);
        }
        EXPECT_NEAR(result.intercept[0], static_cast<double>(expected[data.cols]), 1e-12);
      }
    }
  });
}

TEST(MiniBatch, SameBitsForThreadsTargetsAndLayout) {
  const Data data(3000, 40);
  std::vector<double> columns(data.x.size());
  for (size_t i = 0; i < data.x.size(); ++i) columns[i % 40 * 3000 + i / 40] = data.x[i];
  WeightedRows<double> by_columns = data.view();
  by_columns.x = {columns.data(), 3000, 40, 1, 3000};
  MiniBatchOptions options = plain(1024);
  options.shuffle = true;
  const int threads = num_threads();
  test::expect_same_bits_on_fma_targets([&] {
    const FitResult result = fit_mini_batch(data.view(), options);
    EXPECT_EQ(fit_mini_batch(by_columns, options).coef, result.coef);
    for (const int n : {1, 2, 4}) {
      set_num_threads(n);
      EXPECT_EQ(fit_mini_batch(data.view(), options).coef, result.coef);
    }
    set_num_threads(threads);
    return result.coef;
  });
}

TEST(MiniBatch, StopsWithoutProgressAndStartsWarm) {
  const Data data(400, 5);
  MiniBatchOptions options = plain(32);
  options.max_epochs = 500;
  options.tolerance = 1e-3;
  const FitResult cold = fit_mini_batch(data.view(), options);
  EXPECT_EQ(cold.status, SolveStatus::kConverged);
  EXPECT_LT(cold.iterations, 100u);
  EXPECT_EQ(cold.loss_curve.size(), cold.iterations);
  std::vector<double> start = cold.coef;
  start.push_back(cold.intercept[0]);
  EXPECT_LT(fit_mini_batch(data.view(), options, start).loss_curve[0], cold.loss_curve[0] / 2);
}

TEST(MiniBatch, DivergingKeepsTheLastFiniteWeights) {
  const Data data(200, 5);
  MiniBatchOptions options = plain(10);
  options.schedule = {Schedule::Kind::kConstant, 1e30, 0, 0};
  options.max_epochs = 50;
  const FitResult result = fit_mini_batch(data.view(), options);
  EXPECT_EQ(result.status, SolveStatus::kDiverged);
  for (const double w : result.coef) EXPECT_TRUE(std::isfinite(w));
}

TEST(MiniBatch, RefusesValuesThatAreNotFinite) {
  Data data(200, 5);
  data.x[777] = NAN;
  EXPECT_THROW(fit_mini_batch(data.view(), plain(16)), NotFinite);
}

}  // namespace
}  // namespace maas
