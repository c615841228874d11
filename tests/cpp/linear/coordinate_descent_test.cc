#include "maas/linear/coordinate_descent.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "maas/base/random.h"
#include "targets.h"

namespace maas {
namespace {

// ½ wᵀHw − bᵀw of n random rows, columns of unlike scale, neighbours correlated.
struct Problem {
  size_t d;
  std::vector<double> h, b, l1, l2;
  bool positive = false;

  Problem(size_t n, size_t size, double penalty, double ridge, double correlation = 0.5)
      : d(size), h(d * d), b(d), l1(d, penalty), l2(d, ridge) {
    RandomStream random(7, n * 1000 + d);
    std::vector<double> x(n * d), y(n);
    for (size_t i = 0; i < n; ++i) {
      double last = 0;
      for (size_t j = 0; j < d; ++j) {
        last = correlation * last + random.uniform() - 0.5;
        x[i * d + j] = last * (1.0 + static_cast<double>(j % 3));
        y[i] += x[i * d + j] * (j % 4 == 0 ? 1.0 + static_cast<double>(j % 5) : 0.0);
      }
      y[i] += random.uniform() - 0.5;
    }
    for (size_t i = 0; i < n; ++i) {
      for (size_t j = 0; j < d; ++j) {
        b[j] += x[i * d + j] * y[i];
        for (size_t k = 0; k < d; ++k) h[j * d + k] += x[i * d + j] * x[i * d + k];
      }
    }
  }
  PenalisedQuadratic model() const { return {h.data(), d, d, l1.data(), l2.data(), positive}; }
  std::vector<double> gradient(const std::vector<double>& w) const {
    std::vector<double> g(d);
    for (size_t j = 0; j < d; ++j) {
      g[j] = -b[j];
      for (size_t k = 0; k < d; ++k) g[j] += h[j * d + k] * w[k];
    }
    return g;
  }
  double scale() const {
    double largest = 0;
    for (const double v : b) largest = std::max(largest, std::fabs(v));
    return largest;
  }
};

void expect_optimal(const Problem& p, const std::vector<double>& w, double tolerance = 1e-9) {
  const std::vector<double> g = p.gradient(w);
  for (size_t j = 0; j < p.d; ++j) {
    const double slope = g[j] + p.l2[j] * w[j], slack = tolerance * p.scale();
    EXPECT_TRUE(!p.positive || w[j] >= 0.0) << j;
    if (w[j] != 0) {
      EXPECT_NEAR(slope + std::copysign(p.l1[j], w[j]), 0.0, slack) << j;
    } else if (p.positive) {
      EXPECT_GE(slope, -p.l1[j] - slack) << j;
    } else {
      EXPECT_LE(std::fabs(slope), p.l1[j] + slack) << j;
    }
  }
}

std::vector<double> solve(const Problem& p, CoordinateOptions options = {}, std::vector<double> w = {}) {
  w.resize(p.d);
  std::vector<double> g = p.gradient(w);
  const CoordinateResult result = descend_coordinates(p.model(), options, w.data(), g.data());
  EXPECT_TRUE(result.converged);
  EXPECT_GT(result.sweeps, 0u);
  const std::vector<double> exact = p.gradient(w);
  for (size_t j = 0; j < p.d; ++j) EXPECT_NEAR(g[j], exact[j], 1e-10 * p.scale());
  return w;
}

TEST(CoordinateDescent, MeetsTheOptimalityConditions) {
  for (const size_t d : {1, 2, 7, 8, 9, 40, 200}) {
    for (const double penalty : {0.0, 0.01, 3.0, 1e6}) {
      for (const double ridge : {0.0, 2.0}) {
        for (const bool positive : {false, true}) {
          Problem p(300, d, penalty, ridge);
          p.positive = positive;
          SCOPED_TRACE(::testing::Message() << d << " " << penalty << " " << ridge << " " << positive);
          expect_optimal(p, solve(p));
          CoordinateOptions random;
          random.random = true;
          expect_optimal(p, solve(p, random));
        }
      }
    }
  }
}

TEST(CoordinateDescent, SolvesIllConditionedProblems) {
  const Problem p(120, 100, 1e-3, 0.0, 0.999);
  expect_optimal(p, solve(p));
}

TEST(CoordinateDescent, SolvesMoreColumnsThanRows) {
  const Problem p(30, 200, 0.5, 0.0);
  expect_optimal(p, solve(p));
  CoordinateOptions exact;
  exact.max_sweeps = 100000;
  const Problem weak(30, 90, 1e-2, 0.0);
  expect_optimal(weak, solve(weak, exact));
}

TEST(CoordinateDescent, KnowsOrthogonalSolutions) {
  Problem p(1, 3, 1.0, 0.0);
  p.h = {2, 0, 0, 0, 4, 0, 0, 0, 1};
  p.b = {5, -3, 0.5};
  const std::vector<double> w = solve(p);
  EXPECT_DOUBLE_EQ(w[0], 2.0);
  EXPECT_DOUBLE_EQ(w[1], -0.5);
  EXPECT_EQ(w[2], 0.0);
}

TEST(CoordinateDescent, LeavesFreeCoordinatesUnpenalised) {
  Problem p(200, 12, 5.0, 1.0);
  p.l1[3] = p.l2[3] = 0;
  p.l1[7] = 0;
  expect_optimal(p, solve(p));
  const Problem easier = p;
  p.l1.assign(p.d, 1e9);
  p.l1[3] = 0;
  const std::vector<double> w = solve(p);
  EXPECT_NEAR(w[3], p.b[3] / p.h[3 * p.d + 3], 1e-9);
}

TEST(CoordinateDescent, TakesColumnsWithoutCurvature) {
  Problem p(100, 5, 1.0, 0.0);
  for (size_t k = 0; k < 5; ++k) p.h[2 * 5 + k] = p.h[k * 5 + 2] = 0;
  p.b[2] = 0;
  EXPECT_EQ(solve(p, {}, {0, 0, 7.0, 0, 0})[2], 0.0);
  p.l1[2] = 0;
  EXPECT_EQ(solve(p, {}, {0, 0, 7.0, 0, 0})[2], 7.0);
}

TEST(CoordinateDescent, TakesEqualColumns) {
  Problem p(100, 4, 1.0, 0.0);
  for (size_t k = 0; k < 4; ++k) p.h[3 * 4 + k] = p.h[k];
  for (size_t k = 0; k < 4; ++k) p.h[k * 4 + 3] = p.h[k * 4];
  p.h[15] = p.h[0];
  p.b[3] = p.b[0];
  expect_optimal(p, solve(p));
}

TEST(CoordinateDescent, StartsAnywhere) {
  const Problem p(300, 150, 20.0, 0.1);
  const std::vector<double> cold = solve(p);
  std::vector<double> start(p.d, 1.0);
  const std::vector<double> warm = solve(p, {}, start);
  for (size_t j = 0; j < p.d; ++j) EXPECT_NEAR(warm[j], cold[j], 1e-9);
  std::vector<double> w = cold, g = p.gradient(cold);
  EXPECT_LE(descend_coordinates(p.model(), {}, w.data(), g.data()).sweeps, 2u);
}

TEST(CoordinateDescent, MinimisesANewtonModelInPlace) {
  // ½ δᵀHδ + gᵀδ + l1|w + δ| from w is the same problem seen from w.
  const Problem p(300, 20, 4.0, 0.5);
  const std::vector<double> w0(p.d, 0.3);
  std::vector<double> w = w0, g = p.gradient(w0);
  descend_coordinates(p.model(), {}, w.data(), g.data());
  expect_optimal(p, w);
}

TEST(CoordinateDescent, StopsAtTheMostSweeps) {
  const Problem p(120, 100, 1e-3, 0.0, 0.999);
  std::vector<double> w(p.d), g = p.gradient(w);
  CoordinateOptions options;
  options.max_sweeps = 2;
  const CoordinateResult result = descend_coordinates(p.model(), options, w.data(), g.data());
  EXPECT_EQ(result.sweeps, 2u);
  EXPECT_FALSE(result.converged);
}

TEST(CoordinateDescent, HasTheSameBitsOnEveryTargetWithFma) {
  const Problem p(300, 77, 5.0, 0.1, 0.9);
  test::expect_same_bits_on_fma_targets([&] { return solve(p); });
}

}  // namespace
}  // namespace maas
