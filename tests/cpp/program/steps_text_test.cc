#include <cmath>
#include <limits>

#include "maas/program/steps/number_text.h"
#include "program/step_cases.h"

namespace maas::test {
namespace {

constexpr int64_t kFloat32 = 1, kInt32 = 6, kInt64 = 7, kString = 8, kBool = 9, kFloat64 = 11;

template <class T>
std::string text(T value) {
  char buffer[kNumberText];
  return {buffer, write_number(value, buffer)};
}

TEST(CastSteps, TextIsTheShortestThatReadsBack) {
  EXPECT_EQ(text(1.0F), "1");
  EXPECT_EQ(text(0.1F), "0.1");
  EXPECT_EQ(text(0.1), "0.1");
  EXPECT_EQ(text(-0.0), "-0");
  EXPECT_EQ(text(0.0001), "0.0001");
  EXPECT_EQ(text(0.00001), "1e-05");
  EXPECT_EQ(text(12345678.0F), "12345678");
  EXPECT_EQ(text(1e8F), "1e+08");
  EXPECT_EQ(text(123456789012.0), "123456789012");
  EXPECT_EQ(text(1e16), "10000000000000000");
  EXPECT_EQ(text(1e17), "1e+17");
  EXPECT_EQ(text(std::nan("")), "NaN");
  EXPECT_EQ(text(std::numeric_limits<float>::infinity()), "INF");
  EXPECT_EQ(text(-std::numeric_limits<double>::infinity()), "-INF");
  EXPECT_EQ(text(std::numeric_limits<int64_t>::min()), "-9223372036854775808");
  EXPECT_EQ(text(uint8_t{1}), "1");
  for (const double value : {-std::numeric_limits<double>::min(), std::numeric_limits<double>::denorm_min(),
                             -std::numeric_limits<double>::max(), -1.2345678901234567e-4, 2.0 / 3}) {
    EXPECT_LE(text(value).size(), kNumberText);
    double back = 0;
    EXPECT_TRUE(read_number(text(value), back));
    EXPECT_EQ(back, value);
  }
}

TEST(CastSteps, TextThatIsNoNumberIsRefused) {
  int64_t whole = 0;
  double real = 0;
  uint8_t truth = 0;
  EXPECT_TRUE(read_number(" +42\n", whole) && whole == 42);
  EXPECT_TRUE(read_number("-2.9", whole) && whole == -2);
  EXPECT_TRUE(read_number("1e3", whole) && whole == 1000);
  EXPECT_TRUE(read_number("-INF", real) && real == -std::numeric_limits<double>::infinity());
  EXPECT_TRUE(read_number("1e-999", real) && real == 0);
  EXPECT_TRUE(read_number("2.5", truth) && truth == 1);
  for (const char* bad : {"", " ", "x", "1x", "1 2", "+-1", "--1", "1e999", "nan", "9223372036854775808"}) {
    EXPECT_FALSE(read_number(bad, whole)) << bad;
    EXPECT_EQ(whole, 0);
  }
  for (const char* bad : {"", "1e", "1e999", "-1e999", "0x10", "one", "+-1"}) {
    EXPECT_FALSE(read_number(bad, real)) << bad;
    EXPECT_EQ(real, 0);
  }
  const OneNode node{"Cast", {{{N}, std::vector<std::string>{"1", "two"}}}, {{"to", kInt64}}};
  EXPECT_EQ(run_node(node).status, RunStatus::kNotRepresentable);
}

TEST(CastSteps, TextsOfAllRowsHoldUntilTheNextRun) {
  std::vector<int32_t> values(5000);
  for (size_t i = 0; i < values.size(); ++i) values[i] = static_cast<int32_t>(i) - 70;
  const OneNode node{"Cast", {{{N, 2}, values}}, {{"to", kString}}};
  const Program program = compile(node.graph());
  const Outcome outcome = run_program(program, node, 0, values.size() / 2);
  for (size_t i = 0; i < values.size(); ++i)
    ASSERT_EQ(outcome.outputs[0].texts[i], std::to_string(values[i]));
}

TEST(CastSteps, NumbersOfEveryType) {
  const std::vector<float> x = {-1.9F, 0, 0.5F, 3e9F};
  EXPECT_EQ(run_values<int64_t>({"Cast", {{{N}, x}}, {{"to", kInt64}}}),
            (std::vector<int64_t>{-1, 0, 0, 3000000000}));
  EXPECT_EQ(run_node({"Cast", {{{N}, x}}, {{"to", kInt32}}}).status, RunStatus::kNotRepresentable);
  EXPECT_EQ(run_node({"Cast", {{{N}, x}}, {{"to", kBool}}}).outputs[0].values<uint8_t>(),
            (std::vector<uint8_t>{1, 0, 1, 1}));
  EXPECT_EQ(run_values<double>({"Cast", {{{N}, x}}, {{"to", kFloat64}}}),
            std::vector<double>(x.begin(), x.end()));
  const std::vector<std::string> texts = {"0.1", "-3e1"};
  EXPECT_EQ(run_values<float>({"Cast", {{{N}, texts}}, {{"to", kFloat32}}}), (std::vector<float>{0.1F, -30}));
}

}  // namespace
}  // namespace maas::test
