#include "maas/linear/column_path.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <vector>

#include "maas/base/error.h"
#include "maas/base/random.h"
#include "maas/linear/gram_path.h"
#include "maas/linear/residual_descent.h"
#include "targets.h"

namespace maas {
namespace {

// n × d values of which about a third are zero, by rows, by columns and compressed; weights of which some are
// zero.
template <class T>
struct Data {
  size_t n, d;
  std::vector<T> x, by_columns;
  CsrMatrix<T> sparse;
  std::vector<double> y, weights;

  Data(size_t rows, size_t cols) : n(rows), d(cols), x(n * d), by_columns(n * d), y(n), weights(n) {
    RandomStream random(3, n * 100 + d);
    sparse.rows = n;
    sparse.cols = d;
    sparse.starts = {0};
    for (size_t i = 0; i < n; ++i) {
      for (size_t j = 0; j < d; ++j) {
        const bool zero = random.below(3) == 0;
        const auto value = zero ? T{0} : static_cast<T>(random.uniform() + (j % 4 == 0 ? 1.0 : -0.5));
        x[i * d + j] = by_columns[j * n + i] = value;
        if (!zero) {
          sparse.values.push_back(value);
          sparse.columns.push_back(static_cast<int32_t>(j));
        }
        y[i] += j < 4 ? static_cast<double>(value) * (1.0 + static_cast<double>(j)) : 0.0;
      }
      sparse.starts.push_back(static_cast<int64_t>(sparse.values.size()));
      y[i] += random.uniform();
      weights[i] = static_cast<double>(random.below(3));
    }
  }
  MatrixView<T> rows() const { return {x.data(), n, d, static_cast<ptrdiff_t>(d), 1}; }
  MatrixView<T> columns() const { return {by_columns.data(), n, d, 1, static_cast<ptrdiff_t>(n)}; }
};

std::vector<double> path_of(const ElasticNetProblem& problem, const std::vector<double>& alphas,
                            ElasticNetOptions options = {}) {
  std::vector<double> out;
  problem.path(0, options, alphas, {}, [&](const PathPoint& point) {
    EXPECT_TRUE(point.converged);
    EXPECT_GE(point.gap, 0.0);
    out.insert(out.end(), point.coef, point.coef + problem.features());
    out.push_back(point.intercept);
  });
  return out;
}

template <class T>
void expect_one_path(size_t n, size_t d, bool intercept, double ratio, bool positive) {
  const Data<T> data(n, d);
  std::vector<T> y(data.y.begin(), data.y.end());
  const RegressionRows<T> rows{data.rows(), {y.data(), n, 1, 1, 1}, {data.weights.data(), n, 1}};
  const GramProblem products(gram_state(rows), intercept);
  const std::vector<std::vector<double>> targets = {std::vector<double>(y.begin(), y.end())};
  const auto by_rows = dense_columns(data.rows()), by_columns = dense_columns(data.columns());
  const auto compressed = sparse_columns(data.sparse.view());
  const double most = products.largest_product(0, positive) / ratio;
  const std::vector<double> alphas = {most, 0.3 * most, 0.02 * most};
  ElasticNetOptions options;
  options.l1_ratio = ratio;
  options.positive = positive;
  const std::vector<double> expected = path_of(products, alphas, options);
  std::vector<double> first;
  for (const ColumnSource* source : {by_rows.get(), by_columns.get(), compressed.get()}) {
    const ColumnProblem problem(*source, targets, data.weights, intercept);
    EXPECT_NEAR(problem.largest_product(0, positive), products.largest_product(0, positive), 1e-10);
    const std::vector<double> got = path_of(problem, alphas, options);
    for (size_t k = 0; k < expected.size(); ++k) EXPECT_NEAR(got[k], expected[k], 1e-7) << k;
    if (source == by_rows.get()) first = got;
    EXPECT_TRUE(source != by_columns.get() || got == first);
  }
}

TEST(ColumnPath, FollowsThePathOfTheProducts) {
  for (const bool intercept : {false, true}) {
    for (const bool positive : {false, true}) {
      expect_one_path<double>(40, 20, intercept, 1.0, positive);
      expect_one_path<float>(40, 20, intercept, 0.7, positive);
      expect_one_path<double>(25, 60, intercept, 0.9, positive);
    }
  }
}

TEST(ColumnPath, TakesDegenerateShapes) {
  expect_one_path<double>(9, 1, true, 1.0, false);
  expect_one_path<double>(3, 5, true, 0.5, false);
}

TEST(ColumnPath, FindsTheProductsOfItsColumns) {
  const Data<double> data(3000, 70);
  std::vector<uint32_t> set = {5, 3, 69};
  for (uint32_t j = 10; j < 69; ++j) set.push_back(j);
  const size_t m = set.size();
  for (const auto& source : {dense_columns(data.rows()), sparse_columns(data.sparse.view())}) {
    const ColumnMoments moments = source->moments(data.weights, true);
    std::vector<double> gram(m * m);
    source->extend_gram({5, 3}, 0, moments, gram.data(), m);
    source->extend_gram(set, 2, moments, gram.data(), m);
    for (size_t a = 0; a < m; a += 7) {
      for (size_t b = 0; b < m; b += 3) {
        long double sum = 0;
        for (size_t i = 0; i < data.n; ++i) {
          sum += static_cast<long double>(data.weights[i]) *
                 (data.x[i * data.d + set[a]] - moments.mean[set[a]]) *
                 (data.x[i * data.d + set[b]] - moments.mean[set[b]]);
        }
        EXPECT_NEAR(gram[a * m + b], static_cast<double>(sum), 1e-9) << a << " " << b;
      }
    }
  }
}

TEST(ColumnPath, SweepsOnResidualsReachTheSame) {
  const Data<double> data(60, 80);
  for (const auto& source : {dense_columns(data.rows()), sparse_columns(data.sparse.view())}) {
    for (const bool random : {false, true}) {
      const ColumnProblem problem(*source, {data.y}, data.weights, true);
      const ColumnMoments& moments = problem.moments();
      const double alpha = 0.1 * problem.largest_product(0, false);
      const std::vector<double> expected = path_of(problem, {alpha});
      std::vector<uint32_t> set(data.d);
      for (size_t j = 0; j < data.d; ++j) set[j] = static_cast<uint32_t>(j);
      std::vector<double> weighted(data.n), w(data.d);
      for (size_t i = 0; i < data.n; ++i) weighted[i] = data.weights[i] * problem.target(0)[i];
      CoordinateOptions options;
      options.max_sweeps = 100000;
      options.random = random;
      const UniformPenalty penalty{alpha * moments.weight, 0, false};
      EXPECT_TRUE(descend_residuals(*source, moments, set, penalty, options, weighted, w).converged);
      for (size_t j = 0; j < data.d; ++j) EXPECT_NEAR(w[j], expected[j], 1e-7) << j;
    }
  }
}

TEST(ColumnPath, RefusesValuesThatAreNotFinite) {
  Data<double> data(10, 4);
  data.x[7] = std::numeric_limits<double>::quiet_NaN();
  data.sparse.values[3] = std::numeric_limits<double>::infinity();
  EXPECT_THROW(dense_columns(data.rows()), NotFinite);
  EXPECT_THROW(sparse_columns(data.sparse.view()), NotFinite);
  const auto good = dense_columns(data.columns());
  EXPECT_THROW(good->moments(std::vector<double>(10, 0.0), true), Error);
}

TEST(ColumnPath, HasTheSameBitsOnEveryTargetWithFma) {
  const Data<double> data(40, 100);
  test::expect_same_bits_on_fma_targets([&] {
    const auto source = dense_columns(data.rows());
    const ColumnProblem problem(*source, {data.y}, data.weights, true);
    const double most = problem.largest_product(0, false);
    return path_of(problem, {0.5 * most, 0.05 * most});
  });
}

}  // namespace
}  // namespace maas
