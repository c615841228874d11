// The solvers on problems whose answer is known, without rows.
#include <gtest/gtest.h>

#include <cmath>
#include <vector>

#include "maas/linear/descent.h"
#include "maas/linear/lbfgs.h"
#include "maas/linear/newton.h"

namespace maas {
namespace {

// Σ_i s_i (cosh(theta_i - i) - 1): convex, minimum 0 at theta_i = i, curvature from 1 to `condition`.
class Bowl : public Objective {
 public:
  Bowl(size_t n, double condition) : s_(n) {
    for (size_t i = 0; i < n; ++i) {
      s_[i] = std::pow(condition, static_cast<double>(i) / static_cast<double>(n - 1));
    }
  }
  size_t size() const override { return s_.size(); }
  double value_and_gradient(const double* theta, double* gradient) override {
    ++passes;
    double value = 0;
    for (size_t i = 0; i < s_.size(); ++i) {
      const double x = theta[i] - static_cast<double>(i);
      value += s_[i] * (std::cosh(x) - 1);
      gradient[i] = s_[i] * std::sinh(x);
    }
    return value;
  }
  void hessian(const double* theta, double* h) override {
    for (size_t i = 0; i < s_.size() * s_.size(); ++i) h[i] = 0;
    for (size_t i = 0; i < s_.size(); ++i) {
      h[i * (s_.size() + 1)] = s_[i] * std::cosh(theta[i] - static_cast<double>(i));
    }
  }
  int passes = 0;

 private:
  std::vector<double> s_;
};

void expect_minimum(const std::vector<double>& theta, double tolerance) {
  for (size_t i = 0; i < theta.size(); ++i) EXPECT_NEAR(theta[i], static_cast<double>(i), tolerance);
}

TEST(Lbfgs, FindsTheMinimumFromFarAway) {
  Bowl f(12, 1e3);
  std::vector<double> theta(12, 0.0);
  LbfgsDirection direction(12, 10);
  const auto result = minimise(f, direction, {.decrement = 1e-18, .max_iterations = 300}, theta.data());
  EXPECT_EQ(result.status, SolveStatus::kConverged);
  EXPECT_EQ(result.loss_curve.size(), result.iterations + 1);
  expect_minimum(theta, 1e-8);
}

TEST(Lbfgs, AGoodStartModelMakesItFast) {
  Bowl f(12, 1e8);
  std::vector<double> theta(12), near(12);
  for (size_t i = 0; i < 12; ++i) near[i] = (theta[i] = static_cast<double>(i) + 0.1) - 0.05;
  const CurvatureModel model = CurvatureModel::full_at(f, near.data());
  LbfgsDirection direction(12, 10, &model);
  const auto result = minimise(f, direction, {}, theta.data());
  EXPECT_EQ(result.status, SolveStatus::kConverged);
  EXPECT_LE(f.passes, 5);
  expect_minimum(theta, 1e-9);
}

TEST(Lbfgs, StopsAtTheNoiseFloorWhateverTheTolerance) {
  Bowl f(5, 10);
  std::vector<double> theta(5, 0.5);
  LbfgsDirection direction(5, 10);
  const auto result = minimise(f, direction, {.decrement = 0, .max_iterations = 10000}, theta.data());
  EXPECT_EQ(result.status, SolveStatus::kConverged);
  EXPECT_LT(f.passes, 100);
  expect_minimum(theta, 1e-12);
}

TEST(Newton, ConvergesQuadratically) {
  Bowl f(8, 1e12);
  std::vector<double> theta(8, 0.0);
  NewtonDirection direction(f);
  const auto result = minimise(f, direction, {}, theta.data());
  EXPECT_EQ(result.status, SolveStatus::kConverged);
  EXPECT_LE(result.iterations, 15u);
  expect_minimum(theta, 1e-9);
}

TEST(Descent, EveryRuleReachesTheMinimum) {
  using Rule = DescentOptions::Rule;
  for (const Rule rule : {Rule::kMomentum, Rule::kNesterov, Rule::kAdam}) {
    Bowl f(3, 4);
    std::vector<double> theta(3, 0.0);
    const DescentOptions options{.rule = rule,
                                 .learning_rate = rule == Rule::kAdam ? 0.05 : 0.02,
                                 .momentum = 0.9,
                                 .tolerance = 1e-9,
                                 .max_iterations = 5000};
    const auto result = descend(f, options, theta.data());
    EXPECT_EQ(result.status, SolveStatus::kConverged);
    expect_minimum(theta, 1e-8);
  }
}

TEST(Descent, PlainStepIsTheTextbookOne) {
  Bowl f(2, 3);
  std::vector<double> theta{0.5, 0.25}, g(2);
  f.value_and_gradient(theta.data(), g.data());
  const std::vector<double> expected{0.5 - 0.1 * g[0], 0.25 - 0.1 * g[1]};
  descend(f, {.learning_rate = 0.1, .max_iterations = 1}, theta.data());
  EXPECT_EQ(theta, expected);
}

TEST(Descent, DivergenceKeepsTheLastFiniteWeights) {
  Bowl f(3, 4);
  std::vector<double> theta(3, 0.0);
  const auto result = descend(f, {.learning_rate = 1e4, .max_iterations = 50}, theta.data());
  EXPECT_EQ(result.status, SolveStatus::kDiverged);
  for (const double v : theta) EXPECT_TRUE(std::isfinite(v));
  EXPECT_TRUE(std::isfinite(result.loss_curve.back()));
}

}  // namespace
}  // namespace maas
