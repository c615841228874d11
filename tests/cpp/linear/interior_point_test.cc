#include "maas/linear/interior_point.h"

#include <gtest/gtest.h>

#include <cmath>
#include <vector>

#include "maas/base/error.h"
#include "maas/linear/box_rows.h"
#include "targets.h"

namespace maas {
namespace {

std::vector<double> noise(size_t n, uint64_t seed) {
  std::vector<double> out(n);
  uint64_t state = seed * 2654435761u + 1;
  for (double& v : out) {
    state = state * 6364136223846793005u + 1442695040888963407u;
    v = static_cast<double>(state >> 11) / 9007199254740992.0 * 2 - 1;
  }
  return out;
}

MatrixView<double> rows_of(const std::vector<double>& x, size_t cols) {
  return {x.data(), x.size() / cols, cols, static_cast<ptrdiff_t>(cols), 1};
}

double value(const BoxProblem& p, const std::vector<double>& x, const std::vector<double>& theta) {
  const size_t d = p.source.features();
  double sum = 0;
  for (size_t i = 0; i < p.b.size(); ++i) {
    double r = p.b[i] - (theta.size() > d ? theta[d] : 0.0);
    for (size_t j = 0; j < d; ++j) r -= x[i * d + j] * theta[j];
    sum += p.weight[i] * (r > 0 ? p.u[i] * r : (p.u[i] - 1) * r);
  }
  for (size_t j = 0; j < d; ++j) sum += p.l1 * std::fabs(theta[j]);
  for (size_t j = 0; j < p.quadratic.size(); ++j) sum += p.quadratic[j] * theta[j] * theta[j] / 2;
  return sum;
}

// One condition of the optimum: no coordinate direction leads downhill.
void expect_minimum(const BoxProblem& p, const std::vector<double>& x, const std::vector<double>& theta) {
  const double best = value(p, x, theta);
  for (size_t j = 0; j < theta.size(); ++j) {
    for (const double h : {-1e-3, 1e-3}) {
      std::vector<double> other = theta;
      other[j] += h;
      EXPECT_GE(value(p, x, other), best * (1 - 1e-10)) << j << " " << h;
    }
  }
}

TEST(InteriorPoint, MedianOfFiveNumbers) {
  const std::vector<double> x(5, 0.0);
  const DensePanels<double> source({x.data(), 5, 0, 0, 1}, true, {});
  const BoxProblem problem{source, {9, 1, 5, 2, 7}, {1, 1, 1, 1, 1}, {.5, .5, .5, .5, .5}, 0, {}};
  const BoxSolution found = minimise_boxes(problem, 1e-12, 100);
  EXPECT_EQ(found.status, SolveStatus::kConverged);
  EXPECT_NEAR(found.theta[0], 5, 1e-9);
}

TEST(InteriorPoint, FindsMinimaAndCertifiesThem) {
  for (const size_t n : {3, 20, 700, 2000}) {
    for (const size_t d : {1, 5, 33}) {
      const std::vector<double> x = noise(n * d, n + d);
      const DensePanels<double> source(rows_of(x, d), true, {});
      for (const double l1 : {0.1, 3.0}) {
        BoxProblem problem{source, noise(n, 3), std::vector<double>(n, 1.0), std::vector<double>(n, 0.3),
                           l1,     {}};
        for (size_t i = 0; i < n; ++i) {
          problem.b[i] += x[i * d];
          problem.weight[i] = static_cast<double>(i % 4);
        }
        const BoxSolution found = minimise_boxes(problem, 1e-12, 200);
        EXPECT_EQ(found.status, SolveStatus::kConverged) << n << " " << d;
        expect_minimum(problem, x, found.theta);
        EXPECT_NEAR(found.lower_bound, value(problem, x, found.theta),
                    1e-7 * std::fabs(found.lower_bound) + 1e-9);
      }
    }
  }
}

// The hinge loss: slopes on one side only, and a quadratic.
TEST(InteriorPoint, HingeLossHasAnExactBound) {
  const size_t n = 300, d = 4;
  const std::vector<double> x = noise(n * d, 8);
  const DensePanels<double> source(rows_of(x, d), false, {});
  for (const double strength : {1e-3, 1.0, 1e3}) {
    BoxProblem problem{source, {}, std::vector<double>(n, strength), {}, 0, std::vector<double>(d, 1.0)};
    for (size_t i = 0; i < n; ++i) {
      const bool positive = x[i * d] + 0.3 * x[i * d + 1] > 0.1;
      problem.b.push_back(positive ? 1 : -1);
      problem.u.push_back(positive ? 1 : 0);
    }
    const BoxSolution found = minimise_boxes(problem, 1e-12, 200);
    EXPECT_EQ(found.status, SolveStatus::kConverged);
    expect_minimum(problem, x, found.theta);
    const double best = value(problem, x, found.theta);
    EXPECT_LE(found.lower_bound, best * (1 + 1e-13));
    EXPECT_GE(found.lower_bound, best * (1 - 1e-9));
  }
}

TEST(InteriorPoint, SameBitsOnEveryTargetWithFma) {
  const size_t n = 3000, d = 7;
  const std::vector<double> x = noise(n * d, 4);
  const DensePanels<double> source(rows_of(x, d), true, {});
  const BoxProblem problem{source, noise(n, 5), std::vector<double>(n, 1.0), std::vector<double>(n, 0.8),
                           1.0,    {}};
  test::expect_same_bits_on_fma_targets([&] { return minimise_boxes(problem, 1e-12, 100).theta; });
}

TEST(InteriorPoint, RefusesInfinityInARow) {
  std::vector<double> x = noise(600, 4);
  x[599] = HUGE_VAL;
  const DensePanels<double> source(rows_of(x, 2), true, {});
  const BoxProblem problem{
      source, noise(300, 5), std::vector<double>(300, 1.0), std::vector<double>(300, 0.8), 0, {}};
  EXPECT_THROW(minimise_boxes(problem, 1e-12, 100), NotFinite);
}

// After a full predictor step the products p s are those of the two changes alone.
TEST(BoxRows, PredictorLeavesTheProductsOfChanges) {
  double p = 0.7, q = 0.2, s = 0.6, t = 0.4, affine = 0, change = 0;
  const double b = 0.9, weight = 2, u = 0.6, z = 0.3, dz = 0.05;
  const BoxRows row{&p, &q, &s, &t, &affine, &change, &b, &weight, &u};
  double r0 = 0, r1 = 0;
  BoxPrediction prediction;
  BoxLimits limits;
  predict_rows(row, 1, &z, &dz, &r0, &r1, prediction, limits);
  const double dp = p * (affine / s - 1), dq = -q * (affine / t + 1);
  EXPECT_NEAR(p * s + s * dp - p * affine, 0, 1e-15);
  EXPECT_NEAR(q * t + t * dq + q * affine, 0, 1e-15);
  EXPECT_NEAR(dp - dq + dz, b - z - p + q, 1e-15);
  const double gap = weight * (p * s + q * t);
  EXPECT_NEAR(gap + prediction.primal + prediction.dual + prediction.both, weight * (dq - dp) * affine,
              1e-15);
}

TEST(BoxRows, RowsOfWeightZeroStay) {
  double p = 0.7, q = 0.2, s = 0.6, t = 0.4, affine = 3, change = 5;
  const double b = 0.9, weight = 0, u = 0.6;
  const BoxRows row{&p, &q, &s, &t, &affine, &change, &b, &weight, &u};
  advance_rows(row, 1, {0.1, 1, 1});
  EXPECT_EQ(p, 0.7);
  EXPECT_EQ(s, 0.6);
}

}  // namespace
}  // namespace maas
