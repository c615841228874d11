#include <gtest/gtest.h>

#include <random>

#include "maas/base/thread_pool.h"
#include "maas/metrics/accuracy.h"
#include "maas/metrics/confusion_state.h"
#include "maas/metrics/log_loss.h"
#include "maas/metrics/ranking_state.h"
#include "maas/metrics/regression_state.h"
#include "maas/metrics/state_bytes.h"

namespace maas {
namespace {

template <class T>
constexpr NumberType number_type() {
  return std::is_same_v<T, double> ? NumberType::kF64 : NumberType::kI64;
}

template <class T>
ArrayView view(const std::vector<T>& values, size_t begin, size_t end) {
  return {reinterpret_cast<const std::byte*>(values.data() + begin), end - begin, sizeof(T),
          number_type<T>()};
}

struct Rows {
  std::vector<int64_t> truth, predicted;
  std::vector<double> y, score, weight;
  std::vector<double> probability;  // three columns, row-major

  ProbabilityView probabilities(size_t begin, size_t end) const {
    ProbabilityView view;
    view.first_column = {reinterpret_cast<const std::byte*>(probability.data() + 3 * begin), end - begin,
                         3 * sizeof(double), NumberType::kF64};
    view.columns = 3;
    view.column_stride = sizeof(double);
    return view;
  }
};

Rows make_rows(size_t n) {
  std::mt19937_64 random(n);
  std::normal_distribution<double> normal(1e6, 1.0);
  Rows rows;
  for (size_t i = 0; i < n; ++i) {
    rows.truth.push_back(static_cast<int64_t>(random() % 3) - 1);
    rows.predicted.push_back(static_cast<int64_t>(random() % 4) - 1);
    rows.y.push_back(normal(random));
    rows.score.push_back(static_cast<double>(random() % 50) / 7);  // ties
    const double first = static_cast<double>(random() % 100) / 200;
    for (const double p : {first, 0.25, 0.75 - first}) rows.probability.push_back(p);
    rows.weight.push_back(static_cast<double>(random() % 1000) / 999);
  }
  return rows;
}

void feed(ConfusionState& s, const Rows& r, size_t begin, size_t end, bool weighted) {
  s.update(view(r.truth, begin, end), view(r.predicted, begin, end),
           weighted ? view(r.weight, begin, end) : ArrayView{});
}
void feed(AccuracyState& s, const Rows& r, size_t begin, size_t end, bool weighted) {
  s.update(view(r.truth, begin, end), view(r.predicted, begin, end),
           weighted ? view(r.weight, begin, end) : ArrayView{});
}
void feed(RegressionState& s, const Rows& r, size_t begin, size_t end, bool weighted) {
  const ArrayView y = view(r.y, begin, end), score = view(r.score, begin, end);
  s.update({y, score}, {score, y}, weighted ? view(r.weight, begin, end) : ArrayView{});
}
void feed(RankingState& s, const Rows& r, size_t begin, size_t end, bool weighted) {
  s.update(view(r.truth, begin, end), 1, view(r.score, begin, end),
           weighted ? view(r.weight, begin, end) : ArrayView{});
}

void feed(LogLossState& s, const Rows& r, size_t begin, size_t end, bool weighted) {
  const ProbabilityFlags flags = s.update(view(r.truth, begin, end), {-1, 0, 1}, r.probabilities(begin, end),
                                          weighted ? view(r.weight, begin, end) : ArrayView{});
  ASSERT_TRUE(flags.in_range && flags.sums_to_one && flags.known_labels);
}

template <class State>
class StateTest : public testing::Test {};
using States = testing::Types<ConfusionState, AccuracyState, RegressionState, LogLossState, RankingState>;
TYPED_TEST_SUITE(StateTest, States);

TYPED_TEST(StateTest, MergeEqualsUpdateToTheLastBit) {
  constexpr size_t kRows = 3000;
  const Rows rows = make_rows(kRows);
  for (const bool weighted : {false, true}) {
    TypeParam whole("{}");
    feed(whole, rows, 0, kRows, weighted);
    for (const size_t cut : {size_t{1}, size_t{999}, size_t{1024}, size_t{2999}}) {
      TypeParam left("{}"), right("{}");
      feed(left, rows, 0, cut, weighted);
      feed(right, rows, cut, kRows, weighted);
      TypeParam reversed = right;
      reversed.merge(left);
      left.merge(right);
      EXPECT_EQ(state_to_bytes(left), state_to_bytes(whole));
      EXPECT_EQ(state_to_bytes(reversed), state_to_bytes(whole));
    }
  }
}

TYPED_TEST(StateTest, BytesComeBackAndCanBeUpdated) {
  const Rows rows = make_rows(500);
  for (const bool weighted : {false, true}) {
    TypeParam whole("{\"a\":1}"), part("{\"a\":1}");
    feed(whole, rows, 0, 500, weighted);
    feed(part, rows, 0, 200, weighted);
    TypeParam again = state_from_bytes<TypeParam>(state_to_bytes(part));
    EXPECT_EQ(again.config(), "{\"a\":1}");
    feed(again, rows, 200, 500, weighted);
    EXPECT_EQ(state_to_bytes(again), state_to_bytes(whole));
  }
  const TypeParam empty("");
  EXPECT_EQ(state_to_bytes(state_from_bytes<TypeParam>(state_to_bytes(empty))), state_to_bytes(empty));
}

TYPED_TEST(StateTest, OtherConfigurationIsRefused) {
  TypeParam a("{\"k\":1}");
  EXPECT_THROW(a.merge(TypeParam("{\"k\":2}")), Error);
}

TYPED_TEST(StateTest, HostileBytesGiveFormatError) {
  const Rows rows = make_rows(40);
  TypeParam state("{}");
  feed(state, rows, 0, 40, true);
  const std::string bytes = state_to_bytes(state);
  const auto read = [](const std::string& hostile) {
    try {
      state_to_bytes(state_from_bytes<TypeParam>(hostile));
    } catch (const Error& e) {
      EXPECT_EQ(e.code(), ErrorCode::kFormatError) << e.what();
      return false;
    }
    return true;
  };
  EXPECT_TRUE(read(bytes));
  EXPECT_FALSE(read(bytes + '\0'));
  for (size_t size = 0; size < bytes.size(); ++size) EXPECT_FALSE(read(bytes.substr(0, size))) << size;
  std::mt19937 random(7);
  for (int round = 0; round < 3000; ++round) {
    std::string hostile = bytes;
    for (unsigned k = 0; k < 1 + random() % 3; ++k)
      hostile[random() % hostile.size()] = static_cast<char>(random());
    read(hostile);  // any outcome but a crash or another error
  }
}

TEST(ConfusionState, RefusedUpdateChangesNothing) {
  const Rows rows = make_rows(50);
  ConfusionState state("{}");
  feed(state, rows, 0, 50, false);
  const std::string before = state_to_bytes(state);
  const std::vector<int64_t> wide = {0, 5000};
  EXPECT_THROW(state.update(view(wide, 0, 2), view(wide, 0, 2), {}), Error);
  EXPECT_EQ(state_to_bytes(state), before);
}

TEST(CountPairs, LateLabelsAndThreadsGiveTheSameCounts) {
  std::vector<int64_t> truth(300000, 1), predicted(300000, 2);
  truth[200001] = -100;  // no sampled block sees it
  predicted[123457] = 900;
  for (const int threads : {1, 2, 4}) {
    set_num_threads(threads);
    const auto counts = count_pairs(view(truth, 0, truth.size()), view(predicted, 0, predicted.size()));
    ASSERT_TRUE(counts);
    EXPECT_EQ(present_labels(*counts), (std::vector<int64_t>{-100, 1, 2, 900}));
    EXPECT_EQ(counts->at(1, 2), 300000u - 2);
    EXPECT_EQ(counts->at(-100, 2), 1u);
  }
  set_num_threads(1);
  truth[5] = 2000;
  EXPECT_FALSE(count_pairs(view(truth, 0, truth.size()), view(predicted, 0, predicted.size())));
}

TEST(RegressionSums, BitsDoNotDependOnThreads) {
  const Rows rows = make_rows(200000);
  RegressionSums first;
  for (const int threads : {1, 2, 4}) {
    set_num_threads(threads);
    const auto sums = regression_sums(RegressionMetric::kR2, 0, view(rows.y, 0, 200000),
                                      view(rows.score, 0, 200000), view(rows.weight, 0, 200000));
    if (threads == 1) first = sums;
    EXPECT_EQ(sums.error, first.error);
    EXPECT_EQ(sums.target.spread, first.target.spread);
    EXPECT_EQ(sums.weight, first.weight);
  }
  set_num_threads(1);
}

TEST(RegressionState, SpreadSurvivesAnOffset) {
  std::vector<double> y;
  for (int i = 0; i < 1000; ++i) y.push_back(1e9 + i % 2);
  RegressionState state("{}", StateSums::kTarget, ErrorTerm::kSquared, 0);
  state.update({view(y, 0, y.size())}, {view(y, 0, y.size())}, {});
  EXPECT_EQ(state.target_spread(0), 250.0);
  const std::vector<double> constant(1001, 0.1);
  RegressionState flat("{}", StateSums::kTarget, ErrorTerm::kSquared, 0);
  flat.update({view(constant, 0, 1001)}, {view(constant, 0, 1001)}, {});
  EXPECT_EQ(flat.target_spread(0), 0.0);
}

TEST(RegressionState, KindsMergeComeBackAndDoNotMix) {
  const Rows rows = make_rows(2500);
  const ArrayView y = view(rows.score, 0, 2500), p = view(rows.y, 0, 2500), none;
  for (const auto sums : {StateSums::kError, StateSums::kMaximum, StateSums::kTarget, StateSums::kDistance,
                          StateSums::kDeviance}) {
    RegressionState whole("{}", sums, ErrorTerm::kTweedie, 1.5), part = whole, rest = whole;
    whole.update({y}, {p}, none);
    part.update({view(rows.score, 0, 1300)}, {view(rows.y, 0, 1300)}, none);
    rest.update({view(rows.score, 1300, 2500)}, {view(rows.y, 1300, 2500)}, none);
    part.merge(state_from_bytes<RegressionState>(state_to_bytes(rest)));
    EXPECT_EQ(state_to_bytes(part), state_to_bytes(whole));
    EXPECT_THROW(part.merge(RegressionState("{}", sums, ErrorTerm::kTweedie, 1.25)), Error);
    EXPECT_THROW(part.update({y, y}, {p, p}, none), Error);
  }
}

}  // namespace
}  // namespace maas
