#include "maas/linear/gram_state.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <vector>

#include "maas/base/error.h"
#include "maas/base/thread_pool.h"
#include "maas/kernels/target.h"

namespace maas {
namespace {

// Row-major rows with offsets up to 1e6 and a second layout of the same values.
template <class T>
struct Data {
  size_t n, d, t;
  std::vector<T> x, x_columns, y;
  std::vector<double> w;

  Data(size_t n_, size_t d_, size_t t_, double offset)
      : n(n_), d(d_), t(t_), x(n * d), x_columns(n * d), y(n * t), w(n) {
    for (size_t i = 0; i < n; ++i) {
      for (size_t j = 0; j < d; ++j) {
        const double v = std::sin(1.0 + static_cast<double>(i * (2 * j + 3) % 1009)) + (j % 2 ? offset : 0.0);
        x[i * d + j] = x_columns[j * n + i] = static_cast<T>(v);
      }
      for (size_t j = 0; j < t; ++j) y[i * t + j] = static_cast<T>(std::cos(static_cast<double>(i + j)));
      w[i] = static_cast<double>(i % 4);
    }
  }
  RegressionRows<T> rows(bool weighted, bool by_columns = false) const {
    RegressionRows<T> r;
    r.x = by_columns ? MatrixView<T>{x_columns.data(), n, d, 1, static_cast<ptrdiff_t>(n)}
                     : MatrixView<T>{x.data(), n, d, static_cast<ptrdiff_t>(d), 1};
    r.y = {y.data(), n, t, static_cast<ptrdiff_t>(t), 1};
    if (weighted) r.weights = {w.data(), n, 1};
    return r;
  }
};

template <class T>
std::vector<long double> centred_truth(const Data<T>& data, bool weighted, std::vector<long double>& mean) {
  const size_t p = data.d + data.t;
  const auto z = [&](size_t i, size_t j) -> long double {
    return j < data.d ? data.x[i * data.d + j] : data.y[i * data.t + j - data.d];
  };
  long double total = 0;
  mean.assign(p, 0);
  for (size_t i = 0; i < data.n; ++i) {
    const long double w = weighted ? data.w[i] : 1.0;
    total += w;
    for (size_t j = 0; j < p; ++j) mean[j] += w * z(i, j);
  }
  for (auto& m : mean) m /= total;
  std::vector<long double> g(p * p, 0);
  for (size_t i = 0; i < data.n; ++i) {
    const long double w = weighted ? data.w[i] : 1.0;
    for (size_t a = 0; a < p; ++a) {
      for (size_t b = 0; b < p; ++b) g[a * p + b] += w * (z(i, a) - mean[a]) * (z(i, b) - mean[b]);
    }
  }
  return g;
}

template <class T>
void check(size_t n, size_t d, double offset, bool weighted, GramSums sums, double tolerance) {
  const Data<T> data(n, d, 2, offset);
  std::vector<long double> mean;
  const auto truth = centred_truth(data, weighted, mean);
  const GramState state = gram_state(data.rows(weighted), sums);
  const size_t p = d + 2;
  ASSERT_EQ(state.size(), p);
  for (size_t a = 0; a < p; ++a) {
    EXPECT_NEAR(state.mean[a], static_cast<double>(mean[a]), 1e-15 * (1 + std::fabs(offset)) + tolerance);
    for (size_t b = 0; b < p; ++b) {
      const long double size = std::sqrt(truth[a * p + a] * truth[b * p + b]) + 1e-30L;
      EXPECT_NEAR(static_cast<double>((state.centred[a * p + b] - truth[a * p + b]) / size), 0.0, tolerance);
    }
  }
  const GramState means = mean_state(data.rows(weighted));
  for (size_t a = 0; a < p; ++a) {
    EXPECT_NEAR(means.mean[a], static_cast<double>(mean[a]), 1e-15 * (1 + std::fabs(offset)));
  }
}

TEST(GramState, LosesNothingToAnOffset) {
  for (const size_t n : {1, 2, 17, 1000, 5000}) {
    for (const bool weighted : {false, true}) {
      if (weighted && n == 1) continue;  // its weight is zero
      check<double>(n, 5, 1e6, weighted, GramSums::kDouble, 1e-13);
      check<float>(n, 5, 1e6, weighted, GramSums::kAuto, 1e-13);
    }
  }
}

TEST(GramState, WideRowsAreCutIntoBlocks) {
  check<double>(300, 270, 10.0, true, GramSums::kDouble, 1e-13);
  check<float>(3000, 130, 10.0, false, GramSums::kAuto, 2e-7);
  check<float>(700, 270, 1e4, true, GramSums::kAuto, 2e-6);
}

template <class T>
void check_same_bits(size_t n, size_t d) {
  const Data<T> data(n, d, 1, 1e6);
  const GramState first = gram_state(data.rows(true), GramSums::kAuto);
  const int threads = num_threads();
  for (const auto& target : supported_targets()) {
    set_target(target);
    if (!target_has_fma()) continue;
    for (const int count : {1, 2, 4}) {
      set_num_threads(count);
      for (const bool by_columns : {false, true}) {
        const GramState again = gram_state(data.rows(true, by_columns), GramSums::kAuto);
        EXPECT_EQ(again.centred, first.centred) << target << " " << count;
        EXPECT_EQ(again.mean, first.mean);
      }
    }
  }
  set_target("");
  set_num_threads(threads);
}

TEST(GramState, SameBitsForThreadsTargetsAndLayouts) {
  check_same_bits<double>(40000, 20);
  check_same_bits<float>(3000, 140);
  check_same_bits<float>(1500, 330);  // more than one slab of rows, an unfinished tile of columns
  check_same_bits<double>(1100, 300);
}

TEST(GramState, MergeEqualsOnePass) {
  const Data<double> data(3000, 6, 1, 1e6);
  const auto all = data.rows(true);
  const auto part = [&](size_t begin, size_t end) {
    return RegressionRows<double>{
        all.x.row_range(begin, end), all.y.row_range(begin, end), {data.w.data() + begin, end - begin, 1}};
  };
  GramState merged = gram_state(part(0, 700));
  merged.merge(gram_state(part(700, 3000)));
  const GramState whole = gram_state(all);
  EXPECT_EQ(merged.weight, whole.weight);
  for (size_t k = 0; k < whole.centred.size(); ++k) {
    EXPECT_NEAR(merged.centred[k], whole.centred[k], 1e-12 * whole.weight);
  }
}

TEST(GramState, NamesTheGuiltyArray) {
  const auto message = [](Data<double>& data) {
    try {
      gram_state(data.rows(true));
    } catch (const NotFinite& e) {
      return std::string(e.what());
    }
    return std::string("accepted");
  };
  const double nan = std::numeric_limits<double>::quiet_NaN();
  Data<double> x(100, 3, 1, 0), y(100, 3, 1, 0), w(100, 3, 1, 0);
  x.x[298] = nan;
  y.y[99] = std::numeric_limits<double>::infinity();
  w.w[50] = nan;
  EXPECT_NE(message(x).find("Input X"), std::string::npos);
  EXPECT_NE(message(y).find("Input y"), std::string::npos);
  EXPECT_NE(message(w).find("sample_weight"), std::string::npos);
}

}  // namespace
}  // namespace maas
