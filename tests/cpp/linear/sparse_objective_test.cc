#include "maas/linear/sparse_objective.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <vector>

#include "maas/base/error.h"
#include "maas/base/thread_pool.h"
#include "maas/linear/newton_cg.h"
#include "maas/linear/sparse_fit.h"
#include "targets.h"

namespace maas {
namespace {

// Row i has i % 7 nonzeros in no order, in `cols` columns.
template <class T>
struct Problem {
  Problem(size_t rows, size_t cols, size_t classes, size_t most = 7) : y(rows), weight(rows) {
    x.rows = rows;
    x.cols = cols;
    x.starts.push_back(0);
    for (size_t i = 0; i < rows; ++i) {
      for (size_t k = 0; k < std::min(i % most, cols); ++k) {
        x.columns.push_back(static_cast<int32_t>((i * 5 + (most - k) * 3) % cols));
        x.values.push_back(static_cast<T>(std::sin(0.1 + 1.7 * static_cast<double>((i * i + k) % 1009))));
      }
      x.starts.push_back(static_cast<int64_t>(x.values.size()));
      y[i] = static_cast<double>(i * 7 / 3 % classes);
      weight[i] = static_cast<double>(i % 3);
    }
  }
  SparseRows<T> rows() const { return {x.view(), {y.data(), y.size(), 1}, {weight.data(), y.size(), 1}}; }

  CsrMatrix<T> x;
  std::vector<double> y, weight;
};

const LinearModelShape kShapes[] = {{Loss::kSquared, 1, true},
                                    {Loss::kLogistic, 1, true},
                                    {Loss::kLogistic, 1, false},
                                    {Loss::kSoftmax, 4, true},
                                    {Loss::kSoftmax, 3, false}};

std::vector<double> somewhere(size_t n) {
  std::vector<double> theta(n);
  for (size_t i = 0; i < n; ++i) theta[i] = std::cos(static_cast<double>(i)) / 3;
  return theta;
}

size_t classes_of(const LinearModelShape& shape) { return shape.outputs == 1 ? 2 : shape.outputs; }

TEST(SparseObjective, DerivativesMatchFiniteDifferences) {
  for (const bool penalised : {false, true}) {
    for (const LinearModelShape& shape : kShapes) {
      const Problem<double> p(333, 13, classes_of(shape));
      SparseObjective<double> f(p.rows(), shape, 0.3);
      if (penalised) f.set_intercept(2.5, true);
      const size_t n = f.size();
      const auto theta = somewhere(n);
      std::vector<double> g(n), low(n), high(n), h(n * n), unit(n), product(n);
      f.value_and_gradient(theta.data(), g.data());
      f.hessian(theta.data(), h.data());
      for (size_t i = 0; i < n; ++i) {
        auto shifted = theta;
        shifted[i] += 1e-5;
        const double up = f.value_and_gradient(shifted.data(), high.data());
        shifted[i] -= 2e-5;
        const double down = f.value_and_gradient(shifted.data(), low.data());
        ASSERT_NEAR((up - down) / 2e-5, g[i], 1e-8);
        for (size_t j = 0; j < n; ++j) ASSERT_NEAR((high[j] - low[j]) / 2e-5, h[i * n + j], 1e-8);
      }
      f.value_and_gradient(theta.data(), g.data());
      std::vector<double> diagonal(n);
      f.hessian_diagonal(diagonal.data());
      for (size_t i = 0; i < n; ++i) {
        unit.assign(n, 0.0);
        unit[i] = 1;
        f.hessian_times(unit.data(), product.data());
        for (size_t j = 0; j < n; ++j) ASSERT_NEAR(product[j], h[i * n + j], 1e-14);
        ASSERT_GT(diagonal[i], 0);
      }
    }
  }
}

TEST(SparseObjective, AgreesWithTheDenseRows) {
  for (const LinearModelShape& shape : kShapes) {
    const Problem<double> p(257, 11, classes_of(shape));
    std::vector<double> dense(p.x.rows * p.x.cols, 0.0);
    for (size_t i = 0; i < p.x.rows; ++i) {
      for (auto k = static_cast<size_t>(p.x.starts[i]); k < static_cast<size_t>(p.x.starts[i + 1]); ++k)
        dense[i * p.x.cols + static_cast<size_t>(p.x.columns[k])] += p.x.values[k];
    }
    const WeightedRows<double> rows{
        {dense.data(), p.x.rows, p.x.cols, static_cast<ptrdiff_t>(p.x.cols), 1}, p.rows().y, p.rows().weight};
    RowObjective<double> expected(rows, shape, 0.2, {});
    SparseObjective<double> f(p.rows(), shape, 0.2);
    ASSERT_EQ(f.size(), expected.size());
    const auto theta = somewhere(f.size());
    std::vector<double> g(f.size()), expected_g(f.size());
    EXPECT_NEAR(f.value_and_gradient(theta.data(), g.data()),
                expected.value_and_gradient(theta.data(), expected_g.data()), 1e-14);
    for (size_t i = 0; i < g.size(); ++i) EXPECT_NEAR(g[i], expected_g[i], 1e-14);
  }
}

// Large enough for several shards.
TEST(SparseObjective, SameBitsOnAnyThreadsAndTarget) {
  const int before = num_threads();
  for (const LinearModelShape& shape : {kShapes[1], kShapes[3]}) {
    const Problem<float> p(20000, 200, classes_of(shape), 37);
    const auto all = [&] {
      SparseObjective<float> f(p.rows(), shape, 0.3);
      const auto theta = somewhere(f.size());
      std::vector<double> out(2 * f.size());
      out.push_back(f.value_and_gradient(theta.data(), out.data()));
      f.hessian_times(theta.data(), out.data() + f.size());
      return out;
    };
    test::expect_same_bits_on_fma_targets(all);
    const auto reference = all();
    for (const int threads : {1, 2, 4}) {
      set_num_threads(threads);
      EXPECT_EQ(all(), reference);
    }
    set_num_threads(before);
  }
}

// Both ways to a step end at the same place.
TEST(SparseFit, TruncatedNewtonFindsTheMinimumOfNewton) {
  for (const LinearModelShape& shape : kShapes) {
    const Problem<double> p(400, 40, classes_of(shape));
    SparseObjective<double> f(p.rows(), shape, 0.01);
    std::vector<double> exact(f.size()), theta(f.size());
    NewtonCgDirection direction(f, 1e-18);
    EXPECT_EQ(minimise(f, direction, {.decrement = 1e-18, .max_iterations = 100}, theta.data()).status,
              SolveStatus::kConverged);
    FitOptions options;
    options.shape = shape;
    options.l2 = 0.01 * f.total_weight();
    options.solver = Solver::kNewtonCholesky;
    const FitResult fit = fit_sparse(p.rows(), options);
    for (size_t o = 0; o < shape.outputs; ++o) {
      const size_t columns = f.size() / shape.outputs;
      for (size_t j = 0; j < p.x.cols; ++j)
        EXPECT_NEAR(theta[o * columns + j], fit.coef[o * p.x.cols + j], 1e-7);
    }
  }
}

TEST(SparseObjective, RefusesWhatIsNotFinite) {
  const LinearModelShape shape{Loss::kLogistic, 1, true};
  for (const double bad : {std::numeric_limits<double>::quiet_NaN(), -HUGE_VAL}) {
    Problem<double> p(50, 5, 2);
    p.x.values.back() = bad;
    EXPECT_THROW(SparseObjective<double>(p.rows(), shape, 1), NotFinite);
    p = Problem<double>(50, 5, 2);
    p.y[3] = bad;
    EXPECT_THROW(SparseObjective<double>(p.rows(), shape, 1), NotFinite);
    p = Problem<double>(50, 5, 2);
    p.weight[3] = bad;
    EXPECT_THROW(SparseObjective<double>(p.rows(), shape, 1), NotFinite);
  }
}

}  // namespace
}  // namespace maas
