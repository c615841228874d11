#include "maas/linear/hinge.h"

#include <gtest/gtest.h>

#include <cmath>
#include <vector>

#include "maas/base/random.h"
#include "maas/linear/row_objective.h"

namespace maas {
namespace {

struct Rows {
  Rows(size_t n, size_t columns) : x(n * columns), y(n), weight(n), cols(columns) {
    RandomStream random(5, n);
    for (double& v : x) v = 2 * random.uniform() - 1;
    for (size_t i = 0; i < n; ++i) {
      y[i] = x[i * cols] + 0.4 * (random.uniform() - 0.5) > 0.1 ? 1 : 0;
      weight[i] = static_cast<double>(i % 3);
    }
  }
  MatrixView<double> view() const { return {x.data(), y.size(), cols, static_cast<ptrdiff_t>(cols), 1}; }
  VectorView<double> classes() const { return {y.data(), y.size(), 1}; }
  VectorView<double> weights() const { return {weight.data(), weight.size(), 1}; }

  double value(const HingeFit& fit, const HingeOptions& options) const {
    const double b = fit.intercept / options.intercept_scaling;
    double sum = b * b / 2;
    for (const double w : fit.coef) sum += w * w / 2;
    for (size_t i = 0; i < y.size(); ++i) {
      double z = fit.intercept;
      for (size_t j = 0; j < cols; ++j) z += x[i * cols + j] * fit.coef[j];
      const double miss = std::fmax(0, 1 - (2 * y[i] - 1) * z);
      sum += weight[i] * (options.squared ? miss * miss : miss);
    }
    return sum;
  }

  std::vector<double> x, y, weight;
  size_t cols;
};

// No coordinate direction leads downhill.
void expect_minimum(const Rows& rows, const HingeFit& fit, const HingeOptions& options) {
  const double best = rows.value(fit, options);
  for (size_t j = 0; j <= rows.cols; ++j) {
    for (const double h : {-1e-3, 1e-3}) {
      HingeFit other = fit;
      (j < rows.cols ? other.coef[j] : other.intercept) += h;
      EXPECT_GE(rows.value(other, options), best * (1 - 1e-9)) << j;
    }
  }
}

TEST(Hinge, FindsTheMinimumByEitherMethod) {
  for (const auto& [n, cols] : {std::pair<size_t, size_t>{400, 5}, {30, 40}, {20, 200}, {1, 3}}) {
    const Rows rows(n, cols);
    for (const bool squared : {false, true}) {
      for (const double scaling : {1.0, 5.0}) {
        const HingeOptions options{squared, true, scaling, 1e-4, 5000};
        const HingeFit fit = fit_hinge(rows.view(), rows.classes(), rows.weights(), options);
        EXPECT_EQ(fit.status, SolveStatus::kConverged);
        expect_minimum(rows, fit, options);
      }
    }
  }
}

TEST(Hinge, SparseRowsAreDenseOnes) {
  for (const size_t cols : {4, 300}) {
    const Rows rows(25, cols);
    std::vector<int32_t> columns;
    std::vector<int64_t> starts{0};
    for (size_t i = 0; i < 25; ++i) {
      for (size_t j = 0; j < cols; ++j) columns.push_back(static_cast<int32_t>(j));
      starts.push_back(static_cast<int64_t>(columns.size()));
    }
    const CsrView<double> sparse{rows.x.data(), columns.data(), starts.data(), 25, cols};
    const HingeOptions options{false, true, 2.0, 1e-4, 1000};
    const HingeFit dense = fit_hinge(rows.view(), rows.classes(), rows.weights(), options);
    const HingeFit other = fit_hinge(sparse, rows.classes(), rows.weights(), options);
    for (size_t j = 0; j < cols; ++j) EXPECT_NEAR(dense.coef[j], other.coef[j], 1e-8);
    EXPECT_NEAR(dense.intercept, other.intercept, 1e-8);
  }
}

TEST(Hinge, PenalisedInterceptHasItsGradientAndHessian) {
  const Rows rows(70, 3);
  const WeightedRows<double> weighted{rows.view(), rows.classes(), rows.weights()};
  for (const Loss loss : {Loss::kSquaredHinge, Loss::kPoisson}) {
    const LinearModelShape shape{.loss = loss, .intercept_penalty = 0.25};
    RowObjective<double> objective(weighted, shape, 0.3, {});
    const std::vector<double> at{0.3, -0.2, 0.5, 0.7};
    std::vector<double> gradient(4), low(4), high(4), hessian(16);
    objective.value_and_gradient(at.data(), gradient.data());
    objective.hessian(at.data(), hessian.data());
    for (size_t j = 0; j < 4; ++j) {
      const double h = 1e-6;
      std::vector<double> below = at, above = at;
      below[j] -= h;
      above[j] += h;
      const double fall = objective.value_and_gradient(below.data(), low.data());
      const double rise = objective.value_and_gradient(above.data(), high.data());
      EXPECT_NEAR((rise - fall) / (2 * h), gradient[j], 1e-8);
      for (size_t k = 0; k < 4; ++k) EXPECT_NEAR((high[k] - low[k]) / (2 * h), hessian[j * 4 + k], 1e-6);
    }
  }
}

}  // namespace
}  // namespace maas
