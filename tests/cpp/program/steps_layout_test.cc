#include <numeric>

#include "maas/program/steps/copy_plan.h"
#include "program/step_cases.h"

namespace maas::test {
namespace {

using Ints = std::vector<int64_t>;

template <class T>
std::vector<T> counting(size_t count) {
  std::vector<T> values(count);
  for (size_t i = 0; i < count; ++i) values[i] = static_cast<T>(i % 251);
  return values;
}

Argument ints(const Ints& values) { return constant<int64_t>({static_cast<int64_t>(values.size())}, values); }

// Row-major places in a shape.
struct Places {
  explicit Places(Shape shape_in) : shape(std::move(shape_in)) {}
  Ints at(size_t index) const {
    Ints place(shape.size());
    for (size_t i = shape.size(); i-- > 0;) {
      place[i] = static_cast<int64_t>(index) % shape[i];
      index /= static_cast<size_t>(shape[i]);
    }
    return place;
  }
  size_t index(const Ints& place) const {
    size_t result = 0;
    for (size_t i = 0; i < shape.size(); ++i) {
      result = result * static_cast<size_t>(shape[i]) + static_cast<size_t>(place[i]);
    }
    return result;
  }
  Shape shape;
};

TEST(LayoutSteps, TransposeEveryOrder) {
  const Places from({3, 2, 3, 4});
  const auto x = counting<float>(72);
  Ints order = {1, 2, 3};
  do {
    Ints all = {0};
    all.insert(all.end(), order.begin(), order.end());
    const auto got = run_values<float>({"Transpose", {{{N, 2, 3, 4}, x}}, {{"perm", all}}});
    Shape shape;
    for (const int64_t axis : all) shape.push_back(from.shape[static_cast<size_t>(axis)]);
    const Places to(shape);
    for (size_t i = 0; i < got.size(); ++i) {
      Ints place(4);
      const Ints out = to.at(i);
      for (size_t k = 0; k < 4; ++k) place[static_cast<size_t>(all[k])] = out[k];
      ASSERT_EQ(got[i], x[from.index(place)]);
    }
  } while (std::next_permutation(order.begin(), order.end()));
}

TEST(LayoutSteps, SlicesOfEveryStep) {
  const auto x = counting<int32_t>(2 * 3 * 7);
  for (const int64_t step : {1, 2, 3, 100, -1, -2, -100}) {
    for (const int64_t start : {-100, -7, -2, 0, 3, 6, 50}) {
      for (const int64_t end : {-100, -3, 0, 2, 7, 90}) {
        SCOPED_TRACE(std::to_string(start) + ":" + std::to_string(end) + ":" + std::to_string(step));
        // As the standard says; a start before the axis is its first item, backwards too, unlike in Python.
        const auto bounded = [&](int64_t at) {
          if (at < 0) at += 7;
          return step > 0 ? std::clamp<int64_t>(at, 0, 7) : std::clamp<int64_t>(at, -1, 6);
        };
        std::vector<int32_t> want;
        for (size_t row = 0; row < 6; ++row) {
          for (int64_t i = std::max<int64_t>(bounded(start), 0);
               step > 0 ? i < bounded(end) : i > bounded(end); i += step) {
            want.push_back(x[row * 7 + static_cast<size_t>(i)]);
          }
        }
        const OneNode node{"Slice", {{{N, 3, 7}, x}, ints({start}), ints({end}), ints({2}), ints({step})}};
        EXPECT_EQ(run_values<int32_t>(node), want);
      }
    }
  }
}

TEST(LayoutSteps, JoinAndCutAlongEveryAxis) {
  const auto x = counting<int64_t>(3 * 4 * 2), y = counting<int64_t>(3 * 4 * 3);
  const Outcome joined = run_node({"Concat", {{{N, 4, 2}, x}, {{N, 4, 3}, y}}, {{"axis", int64_t{-1}}}});
  const auto whole = joined.outputs[0].values<int64_t>();
  for (size_t i = 0; i < 12; ++i) {
    for (size_t j = 0; j < 5; ++j) EXPECT_EQ(whole[i * 5 + j], j < 2 ? x[i * 2 + j] : y[i * 3 + j - 2]);
  }
  const OneNode cut{"Split", {{{N, 4, 5}, whole}, ints({2, 3})}, {{"axis", int64_t{2}}}, 2};
  const Outcome parts = run_node(cut);
  EXPECT_EQ(parts.outputs[0].values<int64_t>(), x);
  EXPECT_EQ(parts.outputs[1].values<int64_t>(), y);
}

TEST(LayoutSteps, RepeatsAndStrings) {
  const std::vector<std::string> x = {"a", "b", "c", "d"};
  EXPECT_EQ(run_node({"Tile", {{{N, 2}, x}, ints({1, 2})}}).outputs[0].texts,
            (std::vector<std::string>{"a", "b", "a", "b", "c", "d", "c", "d"}));
  EXPECT_EQ(run_node({"Expand", {{{N, 1}, x}, ints({1, 2})}}).outputs[0].texts,
            (std::vector<std::string>{"a", "a", "b", "b", "c", "c", "d", "d"}));
  EXPECT_EQ(run_values<float>({"Tile", {{{N, 2, 1}, std::vector<float>{1, 2}}, ints({1, 2, 3})}}),
            (std::vector<float>{1, 1, 1, 2, 2, 2, 1, 1, 1, 2, 2, 2}));
}

TEST(GatherSteps, KnownIndicesInAnyOrder) {
  const auto x = counting<float>(2 * 5 * 3);
  for (const Ints& indices : {Ints{2}, Ints{0, 1, 2}, Ints{4, 2, 0}, Ints{1, 1, 1}, Ints{-1, 0, 3}, Ints{}}) {
    const auto got = run_values<float>({"Gather", {{{N, 5, 3}, x}, ints(indices)}, {{"axis", int64_t{1}}}});
    std::vector<float> want;
    for (size_t row = 0; row < 2; ++row) {
      for (const int64_t index : indices) {
        const auto at = static_cast<size_t>(index < 0 ? index + 5 : index);
        for (size_t j = 0; j < 3; ++j) want.push_back(x[(row * 5 + at) * 3 + j]);
      }
    }
    EXPECT_EQ(got, want);
  }
}

TEST(GatherSteps, IndicesOfTheRun) {
  const std::vector<std::string> table = {"zero", "one", "two"};
  const OneNode rows{"Gather", {constant<std::string>({3}, table), {{N}, Ints{2, -3, 1}}}};
  EXPECT_EQ(run_node(rows).outputs[0].texts, (std::vector<std::string>{"two", "zero", "one"}));
  for (const int64_t bad : {3, -4}) {
    const OneNode outside{"Gather", {constant<std::string>({3}, table), {{N}, Ints{0, bad}}}};
    EXPECT_EQ(run_node(outside).status, RunStatus::kIndexOutOfRange);
    const OneNode elements{
        "GatherElements", {{{N, 3}, counting<float>(6)}, {{N, 1}, Ints{0, bad}}}, {{"axis", int64_t{1}}}};
    EXPECT_EQ(run_node(elements).status, RunStatus::kIndexOutOfRange);
  }
  const OneNode elements{
      "GatherElements", {{{N, 3}, counting<float>(6)}, {{N, 2}, Ints{2, 0, -1, 1}}}, {{"axis", int64_t{1}}}};
  EXPECT_EQ(run_values<float>(elements), (std::vector<float>{2, 0, 5, 4}));
}

TEST(CopyPlan, JoinsAxesAndWalksManyAxes) {
  const auto x = counting<uint8_t>(2 * 3 * 2 * 3 * 2);
  const Places from({2, 3, 2, 3, 2});
  const auto strides = contiguous_strides(from.shape);
  const Ints order = {4, 2, 0, 3, 1};
  std::vector<CopyAxis> axes;
  Shape shape;
  for (const int64_t axis : order) shape.push_back(from.shape[static_cast<size_t>(axis)]);
  const auto to_strides = contiguous_strides(shape);
  for (size_t i = 0; i < 5; ++i) {
    const auto axis = static_cast<size_t>(order[i]);
    axes.push_back({static_cast<size_t>(shape[i]), strides[axis], to_strides[i]});
  }
  std::vector<uint8_t> got(x.size());
  CopyPlan(1, axes, 0, 0).run(x.data(), got.data(), 1);
  const Places to(shape);
  for (size_t i = 0; i < got.size(); ++i) {
    Ints place(5);
    for (size_t k = 0; k < 5; ++k) place[static_cast<size_t>(order[k])] = to.at(i)[k];
    ASSERT_EQ(got[i], x[from.index(place)]);
  }
}

}  // namespace
}  // namespace maas::test
