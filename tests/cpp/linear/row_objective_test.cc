#include "maas/linear/row_objective.h"

#include <gtest/gtest.h>

#include <cmath>
#include <vector>

#include "maas/base/error.h"
#include "maas/base/thread_pool.h"
#include "targets.h"

namespace maas {
namespace {

struct Problem {
  Problem(size_t rows, size_t cols, size_t classes) : x(rows * cols), y(rows), weight(rows) {
    for (size_t i = 0; i < rows * cols; ++i) x[i] = std::sin(0.1 + 1.7 * static_cast<double>(i * i % 1009));
    for (size_t i = 0; i < rows; ++i) {
      y[i] = static_cast<double>((i * 7 + (x[i * cols] > 0)) % classes);
      weight[i] = static_cast<double>(i % 3);
    }
    view = {{x.data(), rows, cols, static_cast<ptrdiff_t>(cols), 1},
            {y.data(), rows, 1},
            {weight.data(), rows, 1}};
  }
  std::vector<double> x, y, weight;
  WeightedRows<double> view;
};

const LinearModelShape kShapes[] = {{Loss::kSquared, 1, true},
                                    {Loss::kLogistic, 1, true},
                                    {Loss::kLogistic, 1, false},
                                    {Loss::kSoftmax, 4, true}};

std::vector<double> somewhere(size_t n) {
  std::vector<double> theta(n);
  for (size_t i = 0; i < n; ++i) theta[i] = std::cos(static_cast<double>(i)) / 3;
  return theta;
}

TEST(RowObjective, GradientAndHessianMatchFiniteDifferences) {
  for (const LinearModelShape& shape : kShapes) {
    const Problem p(333, 5, shape.outputs == 1 ? 2 : shape.outputs);
    RowObjective<double> f(p.view, shape, 0.3, {0.1, 0, 0, -0.2, 1});
    const size_t n = f.size();
    const auto theta = somewhere(n);
    std::vector<double> g(n), low(n), high(n), h(n * n), blocks(n * n);
    f.value_and_gradient(theta.data(), g.data());
    f.hessian(theta.data(), h.data());
    f.hessian_blocks(theta.data(), blocks.data());
    const size_t size = n / f.blocks();
    for (size_t i = 0; i < n; ++i) {
      auto shifted = theta;
      shifted[i] += 1e-5;
      const double up = f.value_and_gradient(shifted.data(), high.data());
      shifted[i] -= 2e-5;
      const double down = f.value_and_gradient(shifted.data(), low.data());
      ASSERT_NEAR((up - down) / 2e-5, g[i], 1e-9);
      for (size_t j = 0; j < n; ++j) {
        ASSERT_NEAR((high[j] - low[j]) / 2e-5, h[i * n + j], 1e-9);
        if (i / size == j / size) {
          ASSERT_EQ(blocks[i / size * size * size + i % size * size + j % size], h[i * n + j]);
        }
      }
    }
  }
}

TEST(RowObjective, WeightsCountRowsAndLayoutChangesNoBit) {
  const Problem p(97, 6, 2);
  std::vector<double> x, y, columns(p.x.size());
  for (size_t i = 0; i < 97; ++i) {
    for (size_t copy = 0; copy < i % 3; ++copy) {
      x.insert(x.end(), p.x.begin() + static_cast<ptrdiff_t>(i * 6),
               p.x.begin() + static_cast<ptrdiff_t>(i * 6 + 6));
      y.push_back(p.y[i]);
    }
    for (size_t j = 0; j < 6; ++j) columns[j * 97 + i] = p.x[i * 6 + j];
  }
  const LinearModelShape shape{Loss::kLogistic, 1, true};
  RowObjective<double> weighted(p.view, shape, 0.1, {});
  RowObjective<double> repeated({{x.data(), y.size(), 6, 6, 1}, {y.data(), y.size(), 1}, {}}, shape, 0.1, {});
  WeightedRows<double> by_columns = p.view;
  by_columns.x = {columns.data(), 97, 6, 1, 97};
  RowObjective<double> column_major(by_columns, shape, 0.1, {});
  const auto theta = somewhere(7);
  std::vector<double> a(7), b(7), c(7);
  const double value = weighted.value_and_gradient(theta.data(), a.data());
  EXPECT_NEAR(repeated.value_and_gradient(theta.data(), b.data()), value, 1e-15);
  EXPECT_EQ(column_major.value_and_gradient(theta.data(), c.data()), value);
  for (size_t i = 0; i < 7; ++i) {
    EXPECT_NEAR(a[i], b[i], 1e-15);
    EXPECT_EQ(a[i], c[i]);
  }
}

TEST(RowObjective, BitsDependOnNeitherThreadsNorTarget) {
  const int before = num_threads();
  for (const LinearModelShape& shape : kShapes) {
    const Problem p(20011, 9, shape.outputs == 1 ? 2 : shape.outputs);
    RowObjective<double> f(p.view, shape, 0.1, {});
    const auto theta = somewhere(f.size());
    std::vector<std::vector<double>> runs;
    for (const int threads : {1, 2, 4}) {
      set_num_threads(threads);
      const auto run = [&] {
        std::vector<double> out(f.size() * (f.size() + 1) + 1);
        out[0] = f.value_and_gradient(theta.data(), out.data() + 1);
        f.hessian(theta.data(), out.data() + 1 + f.size());
        return out;
      };
      test::expect_same_bits_on_fma_targets(run);
      runs.push_back(run());
    }
    EXPECT_EQ(runs[0], runs[1]);
    EXPECT_EQ(runs[0], runs[2]);
  }
  set_num_threads(before);
}

TEST(RowObjective, NamesTheArrayThatIsNotFinite) {
  Problem p(50, 3, 2);
  const double good = p.x[100];
  std::vector<double> g(4), theta(4, 0.0);
  const LinearModelShape shape{Loss::kLogistic, 1, true};
  p.x[100] = NAN;
  RowObjective<double> f(p.view, shape, 0.1, {});
  EXPECT_THROW(f.value_and_gradient(theta.data(), g.data()), NotFinite);
  p.x[100] = good;
  EXPECT_NO_THROW(f.value_and_gradient(theta.data(), g.data()));
  p.weight[49] = INFINITY;
  EXPECT_THROW(f.value_and_gradient(theta.data(), g.data()), NotFinite);
}

}  // namespace
}  // namespace maas
