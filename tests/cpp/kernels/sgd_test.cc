// The per-sample loop against the update rule written out in long double, one plain step at a time.
#include "maas/kernels/sgd.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <numeric>
#include <random>
#include <vector>

#include "targets.h"

namespace maas {
namespace {

using test::for_each_target;
using test::GuardedBuffer;
using Real = long double;

struct LossAt {
  Real value, slope;
};

LossAt reference_loss(SgdLoss loss, Real epsilon, Real p, Real y) {
  const Real z = p * y;
  const Real r = p - y;
  const Real sign = r < 0 ? -1 : 1;
  const Real beyond = std::max<Real>(0, std::abs(r) - epsilon);
  switch (loss) {
    case SgdLoss::kHinge: return {std::max<Real>(0, 1 - z), z <= 1 ? -y : 0};
    case SgdLoss::kPerceptron: return {std::max<Real>(0, -z), z <= 0 ? -y : 0};
    case SgdLoss::kSquaredHinge: return z < 1 ? LossAt{(1 - z) * (1 - z), -2 * y * (1 - z)} : LossAt{0, 0};
    case SgdLoss::kModifiedHuber:
      if (z >= 1) return {0, 0};
      return z >= -1 ? LossAt{(1 - z) * (1 - z), -2 * y * (1 - z)} : LossAt{-4 * z, -4 * y};
    case SgdLoss::kLogLoss: return {std::log1p(std::exp(-z)), -y / (1 + std::exp(z))};
    case SgdLoss::kSquaredError: return {r * r / 2, r};
    case SgdLoss::kHuber:
      if (std::abs(r) <= epsilon) return {r * r / 2, r};
      return {epsilon * (std::abs(r) - epsilon / 2), sign * epsilon};
    case SgdLoss::kEpsilonInsensitive: return {beyond, beyond > 0 ? sign : 0};
    case SgdLoss::kSquaredEpsilonInsensitive: return {beyond * beyond, 2 * sign * beyond};
  }
  return {};
}

// Weights held as they are: no scale, no lookahead, the average as the mean of all weights seen.
struct Reference {
  std::vector<Real> w, received, average;
  Real intercept = 0, due = 0, average_intercept = 0, loss = 0, penalty = 0;
  Real step = 1;

  void learn(const SgdRules& rules, const std::vector<double>& x, double y, double weight, double eta) {
    const size_t d = x.size();
    Real p = intercept, square = 0, norm2 = 0, norm1 = 0;
    for (size_t j = 0; j < d; ++j) {
      p += w[j] * x[j];
      square += Real{x[j]} * x[j];
      norm2 += w[j] * w[j];
      norm1 += std::abs(w[j]);
    }
    const LossAt at = reference_loss(rules.loss, rules.epsilon, p, y);
    loss += at.value;
    penalty += rules.alpha * ((1 - rules.l1_ratio) * norm2 / 2 + rules.l1_ratio * norm1);
    Real update = -eta * at.slope;
    if (rules.step != SgdStep::kGradient) {
      const Real c = rules.aggressiveness;
      update = rules.step == SgdStep::kPassiveAggressive1 ? std::min(c, at.value / square)
                                                          : at.value / (square + Real{0.5} / c);
      update *= rules.loss == SgdLoss::kHinge ? y : (y < p ? -1 : 1);
    }
    update *= weight;
    const Real shrink = std::max<Real>(0, 1 - Real{rules.alpha} * eta * (1 - rules.l1_ratio));
    for (size_t j = 0; j < d; ++j) w[j] = w[j] * shrink + update * x[j];
    if (rules.intercept) intercept += update;
    if (rules.average_from > 0 && step >= rules.average_from) {
      const Real n = step - rules.average_from + 1;
      for (size_t j = 0; j < d; ++j) average[j] += (w[j] - average[j]) / n;
      average_intercept += (intercept - average_intercept) / n;
    }
    due += Real{rules.alpha} * eta * rules.l1_ratio;
    if (rules.l1_ratio > 0) truncate();
    step += 1;
  }

  void truncate() {
    for (size_t j = 0; j < w.size(); ++j) {
      const Real before = w[j];
      if (before > 0) w[j] = std::max<Real>(0, before - (due + received[j]));
      if (before < 0) w[j] = std::min<Real>(0, before + (due - received[j]));
      received[j] += w[j] - before;
    }
  }
};

struct Problem {
  size_t rows, cols;
  std::vector<double> x, y, weight, eta;
  std::vector<uint32_t> order;

  Problem(size_t n, size_t d, bool classifies)
      : rows(n), cols(d), x(n * d), y(n), weight(n), eta(n), order(n) {
    std::mt19937_64 random(n * 1000 + d);
    std::normal_distribution<double> normal;
    for (double& v : x) v = static_cast<float>(normal(random));  // exact in both types
    std::iota(order.begin(), order.end(), 0u);
    std::shuffle(order.begin(), order.end(), random);
    for (size_t i = 0; i < n; ++i) {
      y[i] = normal(random);
      if (classifies) y[i] = y[i] > 0 ? 1 : -1;
      weight[i] = 0.5 + static_cast<double>(i % 3);
      eta[i] = 0.05 / std::sqrt(1.0 + static_cast<double>(i));
    }
  }

  std::vector<double> row(size_t i) const {
    const double* begin = x.data() + i * cols;
    return {begin, begin + cols};
  }
};

// What sgd_gather makes of all rows in the problem's order.
struct Gathered {
  AlignedBuffer<double> rows, cross, square;
  bool finite;

  template <class T>
  Gathered(const Problem& problem, const MatrixView<T>& x)
      : rows(problem.rows * sgd_padded(problem.cols), 0.0), cross(problem.rows), square(problem.rows) {
    finite = sgd_gather(x, problem.order.data(), problem.rows, rows.data(), cross.data(), square.data());
  }
};

template <class T>
SgdSums run(const Problem& problem, const MatrixView<T>& x, const SgdRules& rules, SgdState& state) {
  const Gathered gathered(problem, x);
  EXPECT_TRUE(gathered.finite);
  return sgd_steps({gathered.rows.data(), gathered.cross.data(), gathered.square.data(), problem.y.data(),
                    problem.weight.data(), problem.eta.data(), problem.rows},
                   rules, state);
}

SgdState fresh(const Problem& problem, const SgdRules& rules) {
  return SgdState(problem.cols, rules.l1_ratio > 0, rules.average_from > 0);
}

template <class T>
MatrixView<T> dense(const std::vector<T>& x, size_t rows, size_t cols) {
  return {x.data(), rows, cols, static_cast<ptrdiff_t>(cols), 1};
}

void expect_near_reference(const Problem& problem, const SgdRules& rules, double average_tolerance = 1e-11) {
  Reference reference;
  reference.w.resize(problem.cols);
  reference.received.resize(problem.cols);
  reference.average.resize(problem.cols);
  for (size_t i = 0; i < problem.rows; ++i) {
    reference.learn(rules, problem.row(problem.order[i]), problem.y[i], problem.weight[i], problem.eta[i]);
  }
  SgdState state = fresh(problem, rules);
  const SgdSums sums = run(problem, dense(problem.x, problem.rows, problem.cols), rules, state);
  std::vector<double> w(problem.cols), average(problem.cols);
  state.get_weights(w.data());
  if (rules.average_from > 0) state.get_average(average.data());
  EXPECT_FALSE(sums.clipped);
  EXPECT_NEAR(sums.loss, static_cast<double>(reference.loss),
              1e-9 * (1 + static_cast<double>(reference.loss)));
  for (size_t j = 0; j < problem.cols; ++j) {
    ASSERT_NEAR(w[j], static_cast<double>(reference.w[j]), 1e-11) << j;
    // With L1 the average leaves truncation out, as scikit-learn's does.
    if (rules.l1_ratio == 0) {
      ASSERT_NEAR(average[j], static_cast<double>(reference.average[j]), average_tolerance) << j;
    }
  }
  EXPECT_NEAR(state.intercept, static_cast<double>(reference.intercept), 1e-11);
  EXPECT_NEAR(state.average_intercept, static_cast<double>(reference.average_intercept), average_tolerance);
  if (rules.l1_ratio == 0) {
    EXPECT_NEAR(sums.penalty, static_cast<double>(reference.penalty), 1e-9);
  }
}

constexpr SgdLoss kAllLosses[] = {SgdLoss::kHinge,
                                  SgdLoss::kPerceptron,
                                  SgdLoss::kSquaredHinge,
                                  SgdLoss::kModifiedHuber,
                                  SgdLoss::kLogLoss,
                                  SgdLoss::kSquaredError,
                                  SgdLoss::kHuber,
                                  SgdLoss::kEpsilonInsensitive,
                                  SgdLoss::kSquaredEpsilonInsensitive};

TEST(Sgd, FollowsTheUpdateRule) {
  for_each_target([] {
    for (const SgdLoss loss : kAllLosses) {
      for (const double l1_ratio : {0.0, 0.3, 1.0}) {
        for (const double average_from : {0.0, 1.0, 40.0}) {
          SgdRules rules{.loss = loss, .alpha = 0.01, .l1_ratio = l1_ratio, .average_from = average_from};
          expect_near_reference(Problem(150, 20, loss < SgdLoss::kSquaredError), rules);
          rules.intercept = false;
          expect_near_reference(Problem(70, 5, loss < SgdLoss::kSquaredError), rules);
        }
      }
    }
  });
}

TEST(Sgd, PassiveAggressive) {
  for_each_target([] {
    for (const SgdStep step : {SgdStep::kPassiveAggressive1, SgdStep::kPassiveAggressive2}) {
      for (const SgdLoss loss : {SgdLoss::kHinge, SgdLoss::kEpsilonInsensitive}) {
        for (const double l1_ratio : {0.0, 1.0}) {
          const SgdRules rules{
              .loss = loss, .alpha = 1e-3, .l1_ratio = l1_ratio, .step = step, .aggressiveness = 0.3};
          expect_near_reference(Problem(90, 7, loss == SgdLoss::kHinge), rules);
        }
      }
    }
  });
}

TEST(Sgd, EveryNumberOfColumnsAndRows) {
  for_each_target([] {
    for (const double l1_ratio : {0.0, 0.5}) {
      const SgdRules rules{.loss = SgdLoss::kLogLoss, .alpha = 0.01, .l1_ratio = l1_ratio, .average_from = 1};
      for (size_t cols = 1; cols <= 34; ++cols) expect_near_reference(Problem(30, cols, true), rules);
      for (const size_t cols : {200, 333}) expect_near_reference(Problem(40, cols, true), rules);
      for (const size_t rows : {1, 2, 3, 63, 64, 65, 129})
        expect_near_reference(Problem(rows, 9, true), rules);
    }
  });
}

// A strong penalty drives the scale below its limit again and again; alpha * eta > 1 empties the weights. The
// average then is a small difference of large numbers.
TEST(Sgd, FoldsTheScale) {
  for_each_target([] {
    for (const double alpha : {15.0, 30.0}) {
      const SgdRules rules{.loss = SgdLoss::kSquaredError, .alpha = alpha, .average_from = 1};
      expect_near_reference(Problem(200, 6, false), rules, 1e-8);
    }
  });
}

std::vector<double> bits_of(const SgdState& state) {
  std::vector<double> out(state.cols + 1);
  state.get_weights(out.data());
  out.back() = state.intercept;
  return out;
}

TEST(Sgd, SameBitsForEveryLayoutAndType) {
  const Problem problem(100, 21, true);
  const GuardedBuffer<float> narrow(std::vector<float>(problem.x.begin(), problem.x.end()));
  std::vector<double> columns(problem.x.size()), wide(problem.x.size() * 3);
  std::vector<char> bytes(problem.x.size() * sizeof(double) + 1);
  for (size_t i = 0; i < problem.rows; ++i) {
    for (size_t j = 0; j < problem.cols; ++j) {
      columns[j * problem.rows + i] = problem.x[i * problem.cols + j];
      wide[(i * problem.cols + j) * 3] = problem.x[i * problem.cols + j];
    }
  }
  std::memcpy(bytes.data() + 1, problem.x.data(), problem.x.size() * sizeof(double));
  const GuardedBuffer<double> guarded(problem.x);
  const auto n = static_cast<ptrdiff_t>(problem.rows), d = static_cast<ptrdiff_t>(problem.cols);
  const MatrixView<double> views[] = {
      {columns.data(), problem.rows, problem.cols, 1, n},
      {wide.data(), problem.rows, problem.cols, 3 * d, 3},
      {guarded.data(), problem.rows, problem.cols, d, 1},
      {reinterpret_cast<const double*>(bytes.data() + 1), problem.rows, problem.cols, d, 1},
  };
  std::vector<double> expected;
  for_each_target([&] {
    if (!target_has_fma()) return;
    const SgdRules rules{.loss = SgdLoss::kLogLoss, .alpha = 1e-3};
    SgdState state = fresh(problem, rules);
    run(problem, dense(problem.x, problem.rows, problem.cols), rules, state);
    if (expected.empty()) expected = bits_of(state);
    EXPECT_EQ(bits_of(state), expected);
    for (const auto& view : views) {
      SgdState other = fresh(problem, rules);
      run(problem, view, rules, other);
      EXPECT_EQ(bits_of(other), expected);
    }
    SgdState other = fresh(problem, rules);
    run(problem, MatrixView<float>{narrow.data(), problem.rows, problem.cols, d, 1}, rules, other);
    EXPECT_EQ(bits_of(other), expected);
  });
}

TEST(Sgd, FindsEveryValueThatIsNotFinite) {
  for_each_target([] {
    for (const size_t cols : {1, 7, 16, 19}) {
      for (size_t j = 0; j < cols; ++j) {
        Problem problem(10, cols, true);
        problem.x[7 * cols + j] = j % 2 == 0 ? INFINITY : NAN;
        EXPECT_FALSE(Gathered(problem, dense(problem.x, 10, cols)).finite);
      }
    }
  });
}

TEST(Sgd, ReportsStepsThatAreCut) {
  Problem problem(50, 4, false);
  for (double& eta : problem.eta) eta = 1e6;
  const SgdRules rules{.loss = SgdLoss::kSquaredError};
  SgdState state = fresh(problem, rules);
  const SgdSums sums = run(problem, dense(problem.x, 50, 4), rules, state);
  EXPECT_TRUE(sums.clipped);
}

TEST(Sgd, Margins) {
  for_each_target([] {
    const Problem problem(20, 11, false);
    SgdState state = fresh(problem, {});
    state.set_weights(problem.x.data());
    state.intercept = 0.25;
    std::vector<double> margins(20);
    const Gathered gathered(problem, dense(problem.x, 20, 11));
    sgd_margins(gathered.rows.data(), 20, state, margins.data());
    for (size_t i = 0; i < 20; ++i) {
      Real expected = 0.25L;
      for (size_t j = 0; j < 11; ++j) expected += Real{problem.x[j]} * problem.row(problem.order[i])[j];
      EXPECT_NEAR(margins[i], static_cast<double>(expected), 1e-13);
    }
  });
}

}  // namespace
}  // namespace maas
