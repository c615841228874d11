#include "maas/linear/fold_gram.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <string>
#include <vector>

#include "maas/base/error.h"
#include "maas/base/thread_pool.h"
#include "maas/kernels/target.h"

namespace maas {
namespace {

// Rows whose means drift, so that every fold has its own.
template <class T>
struct Data {
  size_t n, d, t;
  std::vector<T> x, x_columns, y;
  std::vector<double> w;

  Data(size_t rows, size_t features, size_t targets)
      : n(rows), d(features), t(targets), x(n * d), x_columns(n * d), y(n * t), w(n) {
    for (size_t i = 0; i < n; ++i) {
      for (size_t j = 0; j < d; ++j) {
        const double v = std::sin(1.0 + static_cast<double>(i * (2 * j + 3) % 1009)) +
                         static_cast<double>(i) * 10 / static_cast<double>(n) + (j % 2 ? 1e4 : 0.0);
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
  // The state of a copy of the rows `keep` says yes to.
  template <class Keep>
  GramState direct(bool weighted, Keep&& keep) const {
    Data part(0, d, t);
    for (size_t i = 0; i < n; ++i) {
      if (!keep(i)) continue;
      ++part.n;
      part.x.insert(part.x.end(), x.begin() + static_cast<ptrdiff_t>(i * d),
                    x.begin() + static_cast<ptrdiff_t>((i + 1) * d));
      part.y.insert(part.y.end(), y.begin() + static_cast<ptrdiff_t>(i * t),
                    y.begin() + static_cast<ptrdiff_t>((i + 1) * t));
      part.w.push_back(w[i]);
    }
    return gram_state(part.rows(weighted));
  }
};

void expect_equal(const GramState& a, const GramState& b) {
  EXPECT_EQ(a.weight, b.weight);
  EXPECT_EQ(a.mean, b.mean);
  EXPECT_EQ(a.centred, b.centred);
}

void expect_near(const GramState& a, const GramState& b) {
  ASSERT_EQ(a.size(), b.size());
  EXPECT_NEAR(a.weight, b.weight, 1e-12 * b.weight);
  const size_t p = a.size();
  for (size_t i = 0; i < p; ++i) {
    EXPECT_NEAR(a.mean[i], b.mean[i], 1e-14 * (1 + std::fabs(b.mean[i])));
    for (size_t j = 0; j < p; ++j) {
      const double size = std::sqrt(b.centred[i * p + i] * b.centred[j * p + j]);
      EXPECT_NEAR(a.centred[i * p + j], b.centred[i * p + j], 1e-11 * size);
    }
  }
}

// Blocks of neighbours, or a scatter, with some rows in no fold.
std::vector<int32_t> folds_of(size_t n, size_t folds, bool scattered) {
  std::vector<int32_t> out(n);
  for (size_t i = 0; i < n; ++i) {
    const size_t slots = folds + 1;
    const size_t slot = scattered ? (i * 7919 + i / 13) % slots : i * slots / n;
    out[i] = slot == folds ? -1 : static_cast<int32_t>(slot);
  }
  return out;
}

template <class T>
void check(size_t n, size_t d, size_t folds, bool scattered, bool weighted) {
  const Data<T> data(n, d, 2);
  const auto fold_of = folds_of(n, folds, scattered);
  const auto states = fold_gram_states(data.rows(weighted), fold_of.data(), folds);
  const auto training = training_states(states);
  ASSERT_EQ(states.size(), folds + 1);
  ASSERT_EQ(training.size(), folds);
  for (size_t k = 0; k <= folds; ++k) {
    const auto number = k == folds ? -1 : static_cast<int32_t>(k);
    expect_equal(states[k], data.direct(weighted, [&](size_t i) { return fold_of[i] == number; }));
    if (k < folds) {
      expect_near(training[k], data.direct(weighted, [&](size_t i) { return fold_of[i] != number; }));
    }
  }
}

TEST(FoldGram, StatesHaveTheBitsOfACopyOfTheRows) {
  for (const bool scattered : {false, true}) {
    for (const bool weighted : {false, true}) {
      check<double>(1000, 5, 5, scattered, weighted);
      check<float>(1000, 5, 3, scattered, weighted);
    }
    check<double>(100000, 7, 3, scattered, true);   // several leaves a fold
    check<double>(1700, 270, 2, scattered, false);  // slabs
    check<float>(900, 1, 2, scattered, false);
  }
}

TEST(FoldGram, EmptyFoldsAndFoldsWithoutWeightCountNothing) {
  Data<double> data(60, 3, 1);
  std::vector<int32_t> fold_of(60, 0);
  for (size_t i = 40; i < 60; ++i) {
    fold_of[i] = 2;
    data.w[i] = 0;
  }
  const auto states = fold_gram_states(data.rows(true), fold_of.data(), 4);
  for (const size_t k : {1, 2, 3, 4}) EXPECT_EQ(states[k].weight, 0);
  const auto training = training_states(states);
  EXPECT_EQ(training[0].weight, 0);
  for (const size_t k : {1, 2, 3}) expect_equal(training[k], states[0]);
}

TEST(FoldGram, SameBitsForThreadsTargetsAndLayouts) {
  const Data<double> data(60000, 20, 1);
  const int threads = num_threads();
  for (const bool scattered : {false, true}) {
    const auto fold_of = folds_of(data.n, 3, scattered);
    const auto first = fold_gram_states(data.rows(true), fold_of.data(), 3);
    for (const auto& target : supported_targets()) {
      set_target(target);
      if (!target_has_fma()) continue;
      for (const int count : {1, 2, 4}) {
        set_num_threads(count);
        for (const bool by_columns : {false, true}) {
          const auto again = fold_gram_states(data.rows(true, by_columns), fold_of.data(), 3);
          for (size_t k = 0; k < first.size(); ++k) expect_equal(again[k], first[k]);
        }
      }
    }
    set_target("");
    set_num_threads(threads);
  }
}

TEST(FoldGram, RefusesWhatIsNotFiniteAndUnknownFolds) {
  Data<double> data(100, 3, 1);
  std::vector<int32_t> fold_of = folds_of(100, 3, true);
  fold_of[7] = 3;
  EXPECT_THROW(fold_gram_states(data.rows(false), fold_of.data(), 3), Error);
  fold_of[7] = -2;
  EXPECT_THROW(fold_gram_states(data.rows(false), fold_of.data(), 3), Error);
  fold_of[7] = 0;
  data.w[99] = std::numeric_limits<double>::quiet_NaN();
  EXPECT_NO_THROW(fold_gram_states(data.rows(false), fold_of.data(), 3));
  EXPECT_THROW(fold_gram_states(data.rows(true), fold_of.data(), 3), NotFinite);
  data.x[150] = std::numeric_limits<double>::infinity();
  try {
    fold_gram_states(data.rows(false), fold_of.data(), 3);
    FAIL();
  } catch (const NotFinite& e) {
    EXPECT_NE(std::string(e.what()).find("Input X"), std::string::npos);
  }
}

}  // namespace
}  // namespace maas
