#include <cmath>
#include <limits>

#include "program/step_cases.h"

namespace maas::test {
namespace {

using Ints = std::vector<int64_t>;

Argument ints(const Ints& values) { return constant<int64_t>({static_cast<int64_t>(values.size())}, values); }

template <class T>
std::vector<T> wave(size_t count) {
  std::vector<T> values(count);
  for (size_t i = 0; i < count; ++i) values[i] = static_cast<T>(static_cast<int>(i * 29 % 17) - 8) / T(4);
  return values;
}

// Over axes of [2, 3, 4, 5] by loops; axis 0 is the batch.
template <class T, class Fn>
void check_reduction(const std::string& op, double start, Fn step, double (*finish)(double, double)) {
  const std::vector<Ints> choices = {{3}, {-2}, {1}, {1, 3}, {2, 3}, {1, 2}, {1, 2, 3}};
  const auto x = wave<T>(120);
  for (const Ints& axes : choices) {
    std::vector<bool> gone(4, false);
    for (const int64_t axis : axes) gone[static_cast<size_t>(axis < 0 ? axis + 4 : axis)] = true;
    const size_t shape[] = {2, 3, 4, 5};
    size_t results = 1, count = 1;
    for (size_t i = 0; i < 4; ++i) (gone[i] ? count : results) *= shape[i];
    std::vector<double> want(results, start);
    for (size_t i = 0; i < x.size(); ++i) {
      const size_t place[] = {i / 60, i / 20 % 3, i / 5 % 4, i % 5};
      size_t at = 0;
      for (size_t k = 0; k < 4; ++k) {
        if (!gone[k]) at = at * shape[k] + place[k];
      }
      want[at] = step(want[at], static_cast<double>(x[i]));
    }
    const auto got = run_values<T>({op, {{{N, 3, 4, 5}, x}, ints(axes)}, {{"keepdims", int64_t{0}}}});
    ASSERT_EQ(got.size(), want.size());
    for (size_t i = 0; i < got.size(); ++i) {
      const double exact = finish(want[i], static_cast<double>(count));
      EXPECT_NEAR(static_cast<double>(got[i]), exact, 1e-6 * (1 + std::fabs(exact))) << op << i;
    }
  }
}

template <class T>
void check_reductions() {
  const auto plain = [](double total, double) { return total; };
  const auto add = [](double a, double b) { return a + b; };
  check_reduction<T>("ReduceSum", 0, add, plain);
  check_reduction<T>("ReduceMean", 0, add, [](double total, double n) { return total / n; });
  check_reduction<T>("ReduceL1", 0, [](double a, double b) { return a + std::fabs(b); }, plain);
  const auto square = [](double a, double b) { return a + b * b; };
  check_reduction<T>("ReduceSumSquare", 0, square, plain);
  check_reduction<T>("ReduceL2", 0, square, [](double total, double) { return std::sqrt(total); });
  check_reduction<T>("ReduceMax", -HUGE_VAL, [](double a, double b) { return std::max(a, b); }, plain);
  check_reduction<T>("ReduceMin", HUGE_VAL, [](double a, double b) { return std::min(a, b); }, plain);
  check_reduction<T>("ReduceProd", 1, [](double a, double b) { return a * b; }, plain);
}

TEST(ReduceSteps, OverEveryChoiceOfAxes) {
  check_reductions<float>();
  check_reductions<double>();
}

TEST(ReduceSteps, IntegersAndExtremesOfNothing) {
  const Ints x = {-7, 2, 4, 0};
  EXPECT_EQ(run_values<int64_t>({"ReduceMean", {{{N, 4}, x}, ints({1})}}), (Ints{0}));
  EXPECT_EQ(run_values<int64_t>({"ReduceL1", {{{N, 4}, x}, ints({1})}}), (Ints{13}));
  EXPECT_EQ(run_values<int64_t>({"ReduceL2", {{{N, 4}, x}, ints({1})}}), (Ints{8}));
  EXPECT_EQ(run_values<int64_t>({"ReduceSumSquare", {{{N, 4}, x}}, {{"noop_with_empty_axes", int64_t{1}}}}),
            (Ints{49, 4, 16, 0}));
}

TEST(ArgSteps, TiesAndNaN) {
  const float nan = std::nanf("");
  const std::vector<float> x = {1, 3, 3, 0, nan, 2, nan, 5, -1, -1, -1, -1};
  const auto arg = [&](const char* op, int64_t last) {
    return run_values<int64_t>({op, {{{N, 4}, x}}, {{"axis", int64_t{1}}, {"select_last_index", last}}});
  };
  EXPECT_EQ(arg("ArgMax", 0), (Ints{1, 0, 0}));
  EXPECT_EQ(arg("ArgMax", 1), (Ints{2, 2, 3}));
  EXPECT_EQ(arg("ArgMin", 0), (Ints{3, 0, 0}));
  EXPECT_EQ(arg("ArgMin", 1), (Ints{3, 2, 3}));
}

TEST(SoftmaxSteps, AlongAnInnerAxisAsAlongTheLast) {
  const auto x = wave<float>(2 * 3 * 4);
  std::vector<float> swapped(24), back(24);
  for (size_t i = 0; i < 24; ++i) swapped[i / 12 * 12 + i % 4 * 3 + i / 4 % 3] = x[i];
  for (const char* op : {"Softmax", "LogSoftmax"}) {
    const auto inner = run_values<float>({op, {{{N, 3, 4}, x}}, {{"axis", int64_t{1}}}});
    const auto last = run_values<float>({op, {{{N, 4, 3}, swapped}}});
    for (size_t i = 0; i < 24; ++i) back[i] = last[i / 12 * 12 + i % 4 * 3 + i / 4 % 3];
    EXPECT_EQ(inner, back);
  }
}

TEST(NormSteps, WeightsFoundInTheRunAsConstants) {
  const auto x = wave<double>(2 * 3 * 4);
  const std::vector<double> scale = {1, 2, 3}, shift = {0.5, -1, 0}, mean = {0.1, 0.2, 0.3},
                            variance = {1, 4, 0.5};
  std::vector<Argument> known = {{{N, 3, 4}, x}}, found = known;
  for (const auto* weight : {&scale, &shift, &mean, &variance}) {
    known.push_back(constant<double>({3}, *weight));
    found.push_back({{3}, *weight});
  }
  const auto got = run_values<double>({"BatchNormalization", known});
  EXPECT_EQ(got, run_values<double>({"BatchNormalization", found}));
  for (size_t i = 0; i < got.size(); ++i) {
    const size_t c = i / 4 % 3;
    const double want = (x[i] - mean[c]) / std::sqrt(variance[c] + 1e-5F) * scale[c] + shift[c];
    EXPECT_NEAR(got[i], want, 1e-12);
  }
  const std::vector<double> wide = {2, 2, 2, 2}, one = {2};
  EXPECT_EQ(run_values<double>({"LayerNormalization", {{{N, 3, 4}, x}, constant<double>({4}, wide)}}),
            run_values<double>({"LayerNormalization", {{{N, 3, 4}, x}, {{1}, one}}}));
}

}  // namespace
}  // namespace maas::test
