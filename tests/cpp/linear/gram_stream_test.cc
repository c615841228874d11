#include "maas/linear/gram_stream.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <vector>

#include "maas/base/error.h"
#include "maas/linear/ridge_path.h"

namespace maas {
namespace {

struct Data {
  size_t n, d;
  std::vector<double> x, y, w;

  Data(size_t rows, size_t features) : n(rows), d(features), x(n * d), y(n), w(n) {
    for (size_t i = 0; i < n; ++i) {
      for (size_t j = 0; j < d; ++j) x[i * d + j] = 10 + std::sin(static_cast<double>(i * (2 * j + 3) % 997));
      y[i] = std::cos(static_cast<double>(i));
      w[i] = static_cast<double>(i % 3);
    }
  }
  RegressionRows<double> rows(size_t begin, size_t end, bool weighted) const {
    RegressionRows<double> r{
        {&x[begin * d], end - begin, d, static_cast<ptrdiff_t>(d), 1}, {&y[begin], end - begin, 1, 1, 1}, {}};
    if (weighted) r.weights = {&w[begin], end - begin, 1};
    return r;
  }
};

void expect_equal(const GramState& a, const GramState& b) {
  EXPECT_EQ(a.weight, b.weight);
  EXPECT_EQ(a.mean, b.mean);
  EXPECT_EQ(a.centred, b.centred);
}

TEST(GramStream, ChunksHaveTheBitsOfOnePass) {
  for (const size_t d : {3, 300}) {
    const Data data(d == 3 ? 45000 : 2600, d);
    for (const bool weighted : {false, true}) {
      const GramState whole = gram_state(data.rows(0, data.n, weighted));
      for (const size_t chunk : {size_t{501}, size_t{1024}, size_t{4096}, size_t{12289}, data.n}) {
        GramStream<double> stream(d, 1);
        for (size_t i = 0; i < data.n; i += chunk) {
          stream.add(data.rows(i, std::min(data.n, i + chunk), weighted));
          if (i > 3 * chunk) continue;
          // Asking for the state and writing the stream down disturb nothing.
          expect_equal(stream.state(), gram_state(data.rows(0, std::min(data.n, i + chunk), weighted)));
          stream = GramStream<double>(d, 1, stream.parts());
        }
        expect_equal(stream.state(), whole);
      }
    }
  }
}

TEST(GramStream, RefusedRowsChangeNothing) {
  Data data(9000, 4);
  GramStream<double> stream(4, 1);
  stream.add(data.rows(0, 3000, false));
  const double good = data.x[8000 * 4];
  for (const size_t bad : {3000, 5000, 8999}) {
    const double before = data.x[bad * 4];
    data.x[bad * 4] = std::numeric_limits<double>::quiet_NaN();
    EXPECT_THROW(stream.add(data.rows(3000, 9000, false)), NotFinite);
    EXPECT_THROW(stream.add(data.rows(bad, bad + 1, false)), NotFinite);
    data.x[bad * 4] = before;
  }
  EXPECT_EQ(data.x[8000 * 4], good);
  stream.add(data.rows(3000, 9000, false));
  expect_equal(stream.state(), gram_state(data.rows(0, 9000, false)));
  const Data other(10, 5);
  EXPECT_THROW(stream.add(other.rows(0, 10, false)), Error);
  EXPECT_THROW(GramStream<double>(4, 1).state(), Error);
  auto parts = stream.parts();
  parts.shift.pop_back();
  EXPECT_THROW(GramStream<double>(4, 1, parts), Error);
}

TEST(RidgePath, SolvesTheNormalEquationsAndKnowsItsErrors) {
  const Data data(500, 4);
  for (const bool intercept : {false, true}) {
    const GramState state = gram_state(data.rows(0, 500, true));
    const auto path = ridge_paths({&state}, {0.5, 20.0}, intercept)[0];
    const MomentErrors errors = moment_errors(state, path.coef.data(), path.intercept.data(), 2);
    for (size_t a = 0; a < 2; ++a) {
      ASSERT_TRUE(path.solved[a]);
      const double* w = &path.coef[a * 4];
      std::vector<double> gradient(4, 0.0);
      double squared = 0, sum = 0;
      for (size_t i = 0; i < data.n; ++i) {
        double r = data.y[i] - path.intercept[a];
        for (size_t j = 0; j < 4; ++j) r -= w[j] * data.x[i * 4 + j];
        for (size_t j = 0; j < 4; ++j) gradient[j] += data.w[i] * r * data.x[i * 4 + j];
        squared += data.w[i] * r * r;
        sum += data.w[i] * r;
      }
      const double penalty = a == 0 ? 0.5 : 20.0;
      for (size_t j = 0; j < 4; ++j) EXPECT_NEAR(gradient[j], penalty * w[j], 1e-8);
      EXPECT_NEAR(errors.squared[a], squared, 1e-10 * squared);
      EXPECT_NEAR(errors.mean[a], sum / state.weight, 1e-12);
      EXPECT_LE(std::fabs(errors.squared[a] - squared), errors.rounding[a] + 1e-12 * squared);
    }
  }
}

TEST(RidgePath, LeavesIllConditionedEquationsToTheRows) {
  Data data(200, 3);
  for (size_t i = 0; i < data.n; ++i) data.x[i * 3 + 2] = data.x[i * 3];
  const GramState state = gram_state(data.rows(0, 200, false));
  const auto path = ridge_paths({&state}, {0.0, 1.0}, true)[0];
  EXPECT_FALSE(path.solved[0]);
  EXPECT_TRUE(path.solved[1]);
}

}  // namespace
}  // namespace maas
