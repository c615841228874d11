#include "maas/metrics/profile_state.h"

#include <gtest/gtest.h>

#include <cmath>
#include <random>
#include <string>
#include <thread>

#include "program/allocations.h"
#include "targets.h"

namespace maas {
namespace {

constexpr size_t kColumns = 4;

ProfileState columns() {
  std::vector<double> edges;
  for (int k = 0; k <= 20; ++k) edges.push_back(k * 0.5 - 5);
  std::vector<ColumnState> states;
  states.emplace_back(HistogramState("a", edges));
  states.emplace_back(HistogramState("b", {0, 1}));
  states.emplace_back(CategoryState("c", Vocabulary(std::vector<int64_t>{-4, 0, 1, 9})));
  states.emplace_back(
      CategoryState("d", Vocabulary(std::vector<std::string>{"", "Oslo", "a long name of a town"})));
  return ProfileState(std::move(states));
}

// Rows side by side, as a client sends them.
struct Rows {
  struct Row {
    double a;
    float b;
    int64_t c;
    std::string_view d;
  };
  explicit Rows(size_t n) : rows(n) {
    std::mt19937 random(static_cast<unsigned>(n));
    constexpr std::string_view kTexts[] = {"Oslo", "", "Rome", "a long name of a town", {}};
    for (Row& row : rows) {
      row.a = random() % 9 ? static_cast<double>(random() % 1000) / 50 - 10 : NAN;
      row.b = static_cast<float>(random() % 5) / 2 - 0.5f;
      row.c = static_cast<int64_t>(random() % 12) - 5;
      row.d = kTexts[random() % 5];
    }
  }
  template <class T>
  ArrayView view(const T Row::* member, NumberType type, size_t begin, size_t end) const {
    return {reinterpret_cast<const std::byte*>(&(rows[begin].*member)), end - begin, sizeof(Row), type};
  }
  std::vector<ProfileColumn> batch(size_t begin, size_t end) const {
    return {view(&Row::a, NumberType::kF64, begin, end), view(&Row::b, NumberType::kF32, begin, end),
            view(&Row::c, NumberType::kI64, begin, end), TextView{&rows[begin].d, end - begin, sizeof(Row)}};
  }
  std::vector<Row> rows;
};

std::vector<std::string> bytes_of(const ProfileState& profile) {
  std::vector<std::string> bytes;
  for (const ColumnState& column : profile.columns()) {
    bytes.push_back(std::visit([](const auto& state) { return state_to_bytes(state); }, column));
  }
  return bytes;
}

TEST(ProfileState, ShardsOfThreadsMergeToTheCountsOfOne) {
  const Rows rows(6001);
  test::for_each_target([&] {
    ProfileState whole = columns();
    whole.update(rows.batch(0, rows.rows.size()).data());

    constexpr size_t kThreads = 4;
    std::vector<ProfileState> shards(kThreads, columns());
    std::vector<std::thread> threads;
    for (size_t t = 0; t < kThreads; ++t) {
      threads.emplace_back([&, t] {
        for (size_t row = t; row < rows.rows.size(); row += kThreads) {
          shards[t].update(rows.batch(row, row + 1).data());
        }
      });
    }
    for (std::thread& thread : threads) thread.join();
    ProfileState merged = columns();
    for (size_t t = kThreads; t-- > 0;) merged.merge(shards[t]);
    EXPECT_EQ(bytes_of(merged), bytes_of(whole));
    EXPECT_EQ(bytes_of(merged.empty()), bytes_of(columns()));
  });
}

TEST(ProfileState, UpdateDoesNotAllocate) {
  if (!testing::counts_allocations()) GTEST_SKIP() << "another allocator";
  static_assert(noexcept(std::declval<ProfileState&>().update(nullptr)));
  const Rows rows(3000);
  ProfileState profile = columns();
  const std::vector<ProfileColumn> batch = rows.batch(0, 3000);
  const size_t before = testing::allocations();
  profile.update(batch.data());
  EXPECT_EQ(testing::allocations(), before);
}

TEST(ProfileState, ColumnsWithoutDataAndOfOtherKinds) {
  const Rows rows(10);
  ProfileState profile = columns();
  const std::vector<ProfileColumn> none(kColumns);
  profile.update(none.data());
  EXPECT_EQ(bytes_of(profile), bytes_of(columns()));

  std::vector<ProfileColumn> batch = rows.batch(0, 10);
  std::swap(batch[0], batch[3]);
  profile.update(batch.data());
  const auto& numbers = std::get<HistogramState>(profile.columns()[0]);
  EXPECT_EQ(numbers.rows(), 10u);
  EXPECT_EQ(numbers.missing(), 10u);
  const auto& texts = std::get<CategoryState>(profile.columns()[3]);
  EXPECT_EQ(texts.rows(), 10u);
  EXPECT_EQ(texts.unseen() + texts.missing(), 10u);
}

TEST(ProfileState, CopiesAndMovesKeepTheirCounts) {
  const Rows rows(100);
  ProfileState profile = columns();
  profile.update(rows.batch(0, 100).data());
  const std::vector<std::string> bytes = bytes_of(profile);
  ProfileState copy = profile;
  copy.update(rows.batch(0, 50).data());
  EXPECT_EQ(bytes_of(profile), bytes);
  EXPECT_NE(bytes_of(copy), bytes);
  copy = std::move(profile);
  EXPECT_EQ(bytes_of(copy), bytes);
  copy.merge(copy);
  EXPECT_EQ(std::get<HistogramState>(copy.columns()[0]).rows(), 200u);
}

TEST(HistogramState, TheLargestNumbersHaveTheirPlaces) {
  constexpr double kMax = std::numeric_limits<double>::max();
  HistogramState state("", {-kMax, 0, kMax});
  const std::vector<double> values = {-INFINITY, -kMax, -0.0, 0.0, kMax, INFINITY, NAN};
  state.update({reinterpret_cast<const std::byte*>(values.data()), 7, sizeof(double), NumberType::kF64});
  EXPECT_EQ(state.below(), 1u);
  EXPECT_EQ(state.above(), 1u);
  EXPECT_EQ(state.missing(), 1u);
  EXPECT_EQ(state.counts(), (std::vector<uint64_t>{1, 3}));
}

}  // namespace
}  // namespace maas
