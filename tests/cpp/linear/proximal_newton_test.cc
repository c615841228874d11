// Proximal Newton against the conditions of its optimum, for dense rows, for columns, and against each other.
#include "maas/linear/proximal_newton.h"

#include <gtest/gtest.h>

#include <cmath>
#include <vector>

#include "maas/base/csr.h"
#include "maas/linear/fit.h"
#include "maas/linear/working_set_fit.h"

namespace maas {
namespace {

struct Data {
  size_t rows, cols, classes;
  std::vector<double> x, y, weight;

  WeightedRows<double> view() const {
    return {{x.data(), rows, cols, static_cast<ptrdiff_t>(cols), 1},
            {y.data(), rows, 1},
            {weight.data(), rows, 1}};
  }
};

// Values from a fixed recurrence: many zeros, columns of different scales.
Data make_data(size_t rows, size_t cols, size_t classes) {
  Data d{rows, cols, classes, {}, {}, {}};
  uint64_t state = 12345;
  const auto next = [&] {
    state = state * 6364136223846793005ULL + 1442695040888963407ULL;
    return static_cast<double>(state >> 11) / 9007199254740992.0 - 0.5;
  };
  for (size_t i = 0; i < rows; ++i) {
    double score = 0;
    for (size_t j = 0; j < cols; ++j) {
      const double v = next() > 0 ? 0.0 : next() * static_cast<double>(1 + j % 4);
      d.x.push_back(v);
      if (j < 4) score += v;
    }
    const double noisy = 3 * score + 2 * next();
    d.y.push_back(classes == 2 ? (noisy > 0 ? 1.0 : 0.0)
                               : static_cast<double>((noisy > 0 ? 1 : 0) + (noisy > 1 ? 1 : 0)));
    d.weight.push_back(0.5 + (next() + 0.5));
  }
  return d;
}

FitOptions options_for(const Data& d, double l1, double l2) {
  FitOptions options;
  const size_t outputs = d.classes == 2 ? 1 : d.classes;
  options.shape = {outputs == 1 ? Loss::kLogistic : Loss::kSoftmax, outputs, true};
  options.l1 = l1;
  options.l2 = l2;
  return options;
}

// How far the conditions of optimality are missed: |g + l1 sign(w)| where w is not zero, else |g| - l1.
double violation(const Data& d, const FitOptions& o, const FitResult& fit) {
  RowObjective<double> objective(d.view(), o.shape, 0.0, {});
  const size_t outputs = o.shape.outputs;
  std::vector<double> theta, gradient(objective.size());
  for (size_t k = 0; k < outputs; ++k) {
    const double* w = fit.coef.data() + k * d.cols;
    theta.insert(theta.end(), w, w + d.cols);
    theta.push_back(fit.intercept[k]);
  }
  objective.value_and_gradient(theta.data(), gradient.data());
  double worst = 0;
  for (size_t at = 0; at < theta.size(); ++at) {
    const double g = gradient[at] * objective.total_weight();
    const double w = theta[at];
    const bool intercept = at % (d.cols + 1) == d.cols;
    if (intercept) {
      worst = std::fmax(worst, std::abs(g));
    } else if (w != 0) {
      worst = std::fmax(worst, std::abs(g + o.l2 * w + std::copysign(o.l1, w)));
    } else {
      worst = std::fmax(worst, std::abs(g) - o.l1);
    }
  }
  return worst;
}

CsrMatrix<double> to_csr(const Data& d) {
  CsrMatrix<double> m{{}, {}, {0}, d.rows, d.cols};
  for (size_t i = 0; i < d.rows; ++i) {
    for (size_t j = 0; j < d.cols; ++j) {
      if (d.x[i * d.cols + j] == 0) continue;
      m.values.push_back(d.x[i * d.cols + j]);
      m.columns.push_back(static_cast<int32_t>(j));
    }
    m.starts.push_back(static_cast<int64_t>(m.values.size()));
  }
  return m;
}

class ProximalNewtonTest : public ::testing::TestWithParam<size_t> {};

TEST_P(ProximalNewtonTest, MeetsTheConditionsOfTheOptimum) {
  const Data d = make_data(400, 12, GetParam());
  for (const double l1 : {0.01, 1.0, 8.0}) {
    for (const double l2 : {0.0, 2.0}) {
      const FitOptions o = options_for(d, l1, l2);
      const FitResult fit = fit_linear(d.view(), o);
      EXPECT_EQ(fit.status, SolveStatus::kConverged);
      EXPECT_LT(violation(d, o, fit), 1e-6) << l1 << " " << l2;
    }
  }
}

TEST_P(ProximalNewtonTest, ColumnsGiveTheSame) {
  const Data d = make_data(400, 12, GetParam());
  const CsrMatrix<double> csr = to_csr(d);
  for (const double l1 : {0.5, 4.0}) {
    const FitOptions o = options_for(d, l1, 0.5);
    const FitResult rows = fit_linear(d.view(), o);
    const FitResult sparse = fit_working_set(csr.view(), d.y, d.weight, o);
    const FitResult dense = fit_working_set(d.view().x, d.y, d.weight, o);
    EXPECT_LT(violation(d, o, sparse), 1e-6);
    for (size_t i = 0; i < rows.coef.size(); ++i) {
      EXPECT_NEAR(rows.coef[i], sparse.coef[i], 1e-7);
      EXPECT_NEAR(rows.coef[i], dense.coef[i], 1e-7);
      EXPECT_EQ(rows.coef[i] == 0, sparse.coef[i] == 0);
    }
  }
}

TEST_P(ProximalNewtonTest, StartsFromASampleAndFromTheSolution) {
  const Data d = make_data(30000, 8, GetParam());
  const FitOptions o = options_for(d, 30.0, 0.0);
  const FitResult fit = fit_linear(d.view(), o);
  EXPECT_EQ(fit.status, SolveStatus::kConverged);
  EXPECT_LT(violation(d, o, fit), 1e-4);  // of sums of 30000 terms
  EXPECT_LE(fit.iterations, 8U);
  std::vector<double> start = fit.coef;
  start.insert(start.end(), fit.intercept.begin(), fit.intercept.end());
  EXPECT_LE(fit_linear(d.view(), o, start).iterations, 1U);
}

TEST_P(ProximalNewtonTest, LargePenaltyLeavesNothingButPriors) {
  const Data d = make_data(200, 6, GetParam());
  const FitOptions o = options_for(d, 1e4, 0.0);
  const CsrMatrix<double> csr = to_csr(d);
  for (const FitResult& fit : {fit_linear(d.view(), o), fit_working_set(csr.view(), d.y, d.weight, o)}) {
    for (const double w : fit.coef) EXPECT_EQ(w, 0.0);
    EXPECT_LT(violation(d, o, fit), 1e-7);
  }
}

INSTANTIATE_TEST_SUITE_P(Classes, ProximalNewtonTest, ::testing::Values(2, 3));

}  // namespace
}  // namespace maas
