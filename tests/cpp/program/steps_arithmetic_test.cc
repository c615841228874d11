#include <cmath>
#include <functional>
#include <limits>

#include "program/step_cases.h"

namespace maas::test {
namespace {

// Shapes to broadcast, and what they come to for 3 rows: index of each result's operand.
struct Shapes {
  Shape a, b;
};
const Shapes kShapes[] = {
    {{N, 5}, {N, 5}},
    {{N, 5}, {5}},
    {{5}, {N, 5}},
    {{N, 5}, {1}},
    {{N, 5}, {}},
    {{}, {N, 5}},
    {{N, 1}, {N, 5}},
    {{N, 5}, {N, 1}},
    {{N, 1}, {5}},
    {{N}, {N}},
    {{N}, {}},
    {{N, 2, 3}, {3}},
    {{N, 2, 3}, {2, 1}},
    {{N, 2, 1}, {N, 1, 3}},
    {{N, 1, 3}, {2, 1}},
    {{N, 2, 3}, {N, 2, 1}},
    {{N, 2, 3, 2}, {3, 1}},
    {{N, 2, 1, 2}, {N, 1, 3, 1}},
    {{N, 40}, {N, 40}},
    {{N, 33}, {33}},
    {{4}, {4}},
    {{2, 1}, {3}},
    {{2, 3}, {1, 3}},
    {{N, 0}, {N, 1}},
};

Shape with_rows(Shape shape, int64_t rows) {
  if (is_batched(shape)) shape[0] = rows;
  return shape;
}

template <class T>
std::vector<T> numbers(const Shape& shape, int64_t rows, int seed, bool no_zero) {
  std::vector<T> values;
  const auto count = static_cast<size_t>(*checked_elements(with_rows(shape, rows)));
  for (size_t i = 0; i < count; ++i) {
    const int v = static_cast<int>((i * 37 + static_cast<size_t>(seed) * 11) % 23) - 11;
    values.push_back(static_cast<T>(no_zero && v == 0 ? 7 : v));
  }
  return values;
}

// The item of an operand that result `index` of shape `out` is made of.
size_t source(const Shape& own, const Shape& out, size_t index) {
  size_t result = 0, stride = 1;
  for (size_t i = 0; i < out.size(); ++i) {
    const auto count = static_cast<size_t>(out[out.size() - 1 - i]);
    const size_t at = index % count;
    index /= count;
    if (i >= own.size()) continue;
    const auto mine = static_cast<size_t>(own[own.size() - 1 - i]);
    if (mine != 1) result += at * stride;
    stride *= mine;
  }
  return result;
}

template <class T, class Out, class Fn>
void check_broadcast(const std::string& op, Fn fn, bool no_zero = false,
                     std::map<std::string, Attribute> attributes = {}) {
  for (const Shapes& shapes : kShapes) {
    for (const int64_t rows : {1, 3}) {
      SCOPED_TRACE(op + " " + shape_text(shapes.a) + shape_text(shapes.b));
      const auto a = numbers<T>(shapes.a, rows, 1, no_zero), b = numbers<T>(shapes.b, rows, 2, no_zero);
      const Outcome outcome = run_node({op, {{shapes.a, a}, {shapes.b, b}}, attributes});
      ASSERT_EQ(outcome.status, RunStatus::kOk);
      const Shape out = with_rows(outcome.outputs[0].type.shape, rows);
      const auto got = outcome.outputs[0].values<Out>();
      ASSERT_EQ(got.size(), static_cast<size_t>(*checked_elements(out)));
      for (size_t i = 0; i < got.size(); ++i) {
        EXPECT_EQ(got[i], fn(a[source(with_rows(shapes.a, rows), out, i)],
                             b[source(with_rows(shapes.b, rows), out, i)]));
      }
    }
  }
}

TEST(ArithmeticSteps, BroadcastEveryWay) {
  check_broadcast<float, float>("Add", std::plus<float>());
  check_broadcast<double, double>("Sub", std::minus<double>());
  check_broadcast<int64_t, int64_t>("Mul", std::multiplies<int64_t>());
  check_broadcast<int32_t, int32_t>("Div", std::divides<int32_t>(), true);
  check_broadcast<double, double>("Div", std::divides<double>(), true);
  check_broadcast<float, float>("Max", [](float a, float b) { return a > b ? a : b; });
  check_broadcast<int64_t, uint8_t>("Less", std::less<int64_t>());
  check_broadcast<float, uint8_t>("GreaterOrEqual", std::greater_equal<float>());
  check_broadcast<int32_t, uint8_t>("Equal", std::equal_to<int32_t>());
  const auto floor_mod = [](int64_t a, int64_t b) {
    return a - b * static_cast<int64_t>(std::floor(double(a) / double(b)));
  };
  check_broadcast<int64_t, int64_t>("Mod", floor_mod, true);
  check_broadcast<float, float>("Mod", [](float a, float b) { return std::fmod(a, b); }, true,
                                {{"fmod", int64_t{1}}});
}

TEST(ArithmeticSteps, FoldManyOperandsFromLeftToRight) {
  const std::vector<float> a = {1, 2, 3, 4}, b = {10, 20};
  const OneNode sum{"Sum", {{{N, 2}, a}, {{2}, b}, {{}, std::vector<float>{100}}}};
  EXPECT_EQ(run_values<float>(sum), (std::vector<float>{111, 122, 113, 124}));
  const OneNode mean{"Mean", {{{2}, b}, {{N, 1}, std::vector<float>{1, 3}}, {{}, std::vector<float>{1}}}};
  EXPECT_EQ(run_values<float>(mean), (std::vector<float>{4, 22.0F / 3, 14.0F / 3, 8}));
  EXPECT_EQ(run_values<float>({"Min", {{{N, 2}, a}}}), a);
  EXPECT_EQ(run_values<float>({"Mean", {{{N, 2}, a}}}), a);
}

TEST(ArithmeticSteps, IntegersWrapAroundAndRefuseZeroDivisors) {
  constexpr int64_t kLow = std::numeric_limits<int64_t>::min(), kHigh = std::numeric_limits<int64_t>::max();
  const std::vector<int64_t> x = {kLow, kHigh}, one = {1}, minus = {-1};
  EXPECT_EQ(run_values<int64_t>({"Add", {{{N}, x}, {{}, one}}}), (std::vector<int64_t>{kLow + 1, kLow}));
  EXPECT_EQ(run_values<int64_t>({"Div", {{{N}, x}, {{}, minus}}}), (std::vector<int64_t>{kLow, -kHigh}));
  EXPECT_EQ(run_values<int64_t>({"Mod", {{{N}, x}, {{}, minus}}}), (std::vector<int64_t>{0, 0}));
  EXPECT_EQ(run_values<int64_t>({"Abs", {{{N}, x}}}), (std::vector<int64_t>{kLow, kHigh}));
  for (const char* op : {"Div", "Mod"}) {
    const Outcome outcome = run_node({op, {{{N}, x}, {{N}, std::vector<int64_t>{2, 0}}}});
    EXPECT_EQ(outcome.status, RunStatus::kZeroDivision);
  }
}

TEST(ArithmeticSteps, NaNIsCanonicalWhereverItComesFrom) {
  constexpr float kNaN = std::numeric_limits<float>::quiet_NaN(),
                  kInf = std::numeric_limits<float>::infinity();
  const auto bits_of = [](float x) { return std::bit_cast<uint32_t>(x); };
  const std::vector<float> a = {-kNaN, kInf, 0, 1}, b = {1, -kInf, 0, kNaN};
  for (const char* op : {"Add", "Div"}) {
    const auto got = run_values<float>({op, {{{N}, a}, {{N}, b}}});
    EXPECT_EQ(bits_of(got[0]), bits_of(kNaN));
    EXPECT_EQ(bits_of(got[1]), bits_of(kNaN));
    EXPECT_EQ(bits_of(got[3]), bits_of(kNaN));
  }
  for (const char* op : {"Max", "Min"}) {
    const auto got = run_values<float>({op, {{{N}, a}, {{N}, b}}});
    EXPECT_EQ(bits_of(got[0]), bits_of(kNaN));
    EXPECT_EQ(bits_of(got[3]), bits_of(kNaN));
  }
}

// Operands in the result's layout go through the vector code, others through loops.
template <class T>
void check_ways_agree() {
  constexpr T kInf = std::numeric_limits<T>::infinity(), kNaN = std::numeric_limits<T>::quiet_NaN();
  const std::vector<T> special = {0,
                                  T(-0.0),
                                  1,
                                  -3,
                                  kInf,
                                  -kInf,
                                  kNaN,
                                  -kNaN,
                                  std::numeric_limits<T>::denorm_min(),
                                  std::numeric_limits<T>::max(),
                                  T(0.1)};
  const auto n = static_cast<int64_t>(special.size());
  for (const char* op : {"Add", "Sub", "Mul", "Div", "Max", "Min"}) {
    for (const T value : special) {
      const std::vector<T> all(special.size(), value), one = {value};
      const Outcome same = run_node({op, {{{N, n}, special}, {{N, n}, all}}});
      const Outcome row = run_node({op, {{{N, n}, special}, {{n}, all}}});
      const Outcome single = run_node({op, {{{N, n}, special}, {{}, one}}});
      EXPECT_EQ(same.outputs[0].bytes, row.outputs[0].bytes) << op << value;
      EXPECT_EQ(same.outputs[0].bytes, single.outputs[0].bytes) << op << value;
    }
  }
}

TEST(ArithmeticSteps, EveryLayoutGivesTheSameBits) {
  check_ways_agree<float>();
  check_ways_agree<double>();
}

TEST(PowerSteps, SquaresAndIntegers) {
  const std::vector<float> x = {3, -0.5F, 0, -std::numeric_limits<float>::infinity()};
  const auto squares = run_values<float>({"Pow", {{{N}, x}, constant<int64_t>({}, {2})}});
  EXPECT_EQ(squares, run_values<float>({"Pow", {{{N}, x}, {{}, std::vector<int64_t>{2}}}}));
  const std::vector<int64_t> base = {2, -3, 1, -1}, exponent = {10, 3, -5, -5};
  EXPECT_EQ(run_values<int64_t>({"Pow", {{{N}, base}, {{N}, exponent}}}),
            (std::vector<int64_t>{1024, -27, 1, -1}));
  const OneNode inverse{"Pow", {{{N}, std::vector<int64_t>{2, 0}}, constant<int64_t>({}, {-1})}};
  EXPECT_EQ(run_node(inverse).status, RunStatus::kZeroDivision);
}

TEST(ArithmeticSteps, WhereTakesStringsAndBroadcasts) {
  const std::vector<std::string> x = {"a", "b", "c", "d"}, y = {"other"};
  const OneNode node{"Where",
                     {{{N, 1}, std::vector<uint8_t>{1, 0}}, {{N, 2}, x}, constant<std::string>({}, y)}};
  EXPECT_EQ(run_node(node).outputs[0].texts, (std::vector<std::string>{"a", "b", "other", "other"}));
  const OneNode equal{"Equal", {{{N, 2}, x}, constant<std::string>({2}, {"a", "d"})}};
  EXPECT_EQ(run_node(equal).outputs[0].values<uint8_t>(), (std::vector<uint8_t>{1, 0, 0, 1}));
}

TEST(ArithmeticSteps, InfinitiesAreToldApart) {
  constexpr double kInf = std::numeric_limits<double>::infinity();
  const std::vector<double> x = {1, kInf, -kInf, std::nan("")};
  const auto is_inf = [&](int64_t negative, int64_t positive) {
    return run_node({"IsInf", {{{N}, x}}, {{"detect_negative", negative}, {"detect_positive", positive}}})
        .outputs[0]
        .values<uint8_t>();
  };
  EXPECT_EQ(is_inf(1, 1), (std::vector<uint8_t>{0, 1, 1, 0}));
  EXPECT_EQ(is_inf(0, 1), (std::vector<uint8_t>{0, 1, 0, 0}));
  EXPECT_EQ(is_inf(1, 0), (std::vector<uint8_t>{0, 0, 1, 0}));
  EXPECT_EQ(is_inf(0, 0), (std::vector<uint8_t>{0, 0, 0, 0}));
  EXPECT_EQ(run_node({"IsNaN", {{{N}, x}}}).outputs[0].values<uint8_t>(), (std::vector<uint8_t>{0, 0, 0, 1}));
}

TEST(ClipSteps, LimitsMayBeFoundInTheRunAndOfIntegers) {
  const std::vector<float> x = {-3, 0, 3};
  EXPECT_EQ(
      run_values<float>({"Clip", {{{N}, x}, {{}, std::vector<float>{-1}}, {{}, std::vector<float>{2}}}}),
      (std::vector<float>{-1, 0, 2}));
  EXPECT_EQ(run_values<float>({"Clip", {{{N}, x}, {}, constant<float>({}, {1})}}),
            (std::vector<float>{-3, 0, 1}));
  EXPECT_EQ(run_values<int64_t>({"Clip", {{{N}, std::vector<int64_t>{-3, 9}}, constant<int64_t>({}, {0})}}),
            (std::vector<int64_t>{0, 9}));
  EXPECT_EQ(run_values<float>(
                {"PRelu", {{{N, 2}, std::vector<float>{-1, 2, -3, -4}}, constant<float>({2}, {0.5F, 2})}}),
            (std::vector<float>{-0.5F, 2, -1.5F, -8}));
}

}  // namespace
}  // namespace maas::test
