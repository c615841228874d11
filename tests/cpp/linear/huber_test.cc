#include "maas/linear/huber.h"

#include <gtest/gtest.h>

#include <cmath>
#include <vector>

#include "maas/base/random.h"
#include "maas/linear/huber_objective.h"

namespace maas {
namespace {

TEST(Huber, GradientAndHessianMatchFiniteDifferences) {
  const size_t n = 700, d = 3;
  std::vector<double> x(n * d), y(n), weight(n);
  RandomStream random(3, 1);
  for (double& v : x) v = 2 * random.uniform() - 1;
  for (size_t i = 0; i < n; ++i) {
    y[i] = x[i * d] + (i % 7 == 0 ? 20 * random.uniform() : random.uniform());
    weight[i] = static_cast<double>(i % 3);
  }
  const DensePanels<double> source({x.data(), n, d, static_cast<ptrdiff_t>(d), 1}, true, {});
  HuberObjective objective(source, y, weight, {.epsilon = 1.35, .l2 = 3});
  const std::vector<double> at{0.9, 0.1, -0.1, 0.6};
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
    EXPECT_NEAR((rise - fall) / (2 * h), gradient[j], 1e-7);
    // No row lies within h of the bound here.
    for (size_t k = 0; k < 4; ++k) EXPECT_NEAR((high[k] - low[k]) / (2 * h), hessian[j * 4 + k], 1e-5);
  }
}

TEST(Huber, ScaleIsTheBestForTheWeights) {
  const std::vector<double> x{0, 0, 0, 0, 0, 0}, y{-3, -1, 0.5, 1, 2, 90};
  const std::vector<double> weight{1, 2, 1, 1, 1, 1};
  const DensePanels<double> source({x.data(), 6, 1, 1, 1}, true, {});
  for (const double epsilon : {1.1, 1.35, 3.0, 100.0}) {
    HuberObjective objective(source, y, weight, {.epsilon = epsilon, .l2 = 0});
    const std::vector<double> at{0, 0.25};
    std::vector<double> gradient(2);
    const double value = objective.value_and_gradient(at.data(), gradient.data());
    const auto at_scale = [&](double sigma) {
      double sum = 0;
      for (size_t i = 0; i < 6; ++i) {
        const double z = std::fabs(y[i] - 0.25) / sigma;
        sum += weight[i] * sigma * (1 + (z < epsilon ? z * z : 2 * epsilon * z - epsilon * epsilon));
      }
      return sum / 7;
    };
    EXPECT_NEAR(value, at_scale(objective.sigma()), 1e-12 * value);
    for (const double factor : {0.9, 0.999, 1.001, 1.1})
      EXPECT_GE(at_scale(objective.sigma() * factor), value);
  }
}

}  // namespace
}  // namespace maas
