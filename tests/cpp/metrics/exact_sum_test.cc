#include "maas/metrics/exact_sum.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <random>

#include "maas/metrics/state_bytes.h"

namespace maas {
namespace {

ExactSum sum_of(const std::vector<double>& values) {
  ExactSum sum;
  for (const double value : values) sum.add(value);
  return sum;
}

std::string bytes_of(const ExactSum& sum) {
  StateWriter out(9, 1, "");
  sum.write(out);
  return out.take();
}

TEST(ExactSum, SingleValuesComeBack) {
  std::mt19937_64 random(1);
  std::vector<double> values = {0.0,    1.0, 5e-324, 2.2250738585072014e-308, 1.7976931348623157e308,
                                1e-310, 0.1};
  for (int i = 0; i < 20000; ++i) {
    const uint64_t bits = random();
    double value;
    std::memcpy(&value, &bits, sizeof value);
    if (std::isfinite(value)) values.push_back(value);
  }
  for (const double value : values) {
    EXPECT_EQ(sum_of({value}).value(), value);
    EXPECT_EQ(sum_of({-value}).value(), -value);
  }
}

TEST(ExactSum, CancelsWithoutLoss) {
  EXPECT_EQ(sum_of({1e308, 1.0, -1e308}).value(), 1.0);
  EXPECT_EQ(sum_of({1e16, 1.0, 1.0, -1e16}).value(), 2.0);
  EXPECT_EQ(sum_of({5e-324, 1.0, -1.0}).value(), 5e-324);
  EXPECT_EQ(sum_of({1.7976931348623157e308, 1.7976931348623157e308, -1.7976931348623157e308}).value(),
            1.7976931348623157e308);
}

TEST(ExactSum, RoundsHalfToEven) {
  const double ulp = std::numeric_limits<double>::epsilon();
  EXPECT_EQ(sum_of({1.0, ulp / 2}).value(), 1.0);
  EXPECT_EQ(sum_of({1.0 + ulp, ulp / 2}).value(), 1.0 + 2 * ulp);
  EXPECT_EQ(sum_of({1.0, ulp / 2, 5e-324}).value(), 1.0 + ulp);
  EXPECT_EQ(sum_of({-1.0, -ulp / 2, -5e-324}).value(), -1.0 - ulp);
}

TEST(ExactSum, SpecialValues) {
  const double inf = HUGE_VAL;
  EXPECT_EQ(sum_of({1.7976931348623157e308, 1.7976931348623157e308}).value(), inf);
  EXPECT_EQ(sum_of({1.0, inf}).value(), inf);
  EXPECT_EQ(sum_of({-inf, 1.0}).value(), -inf);
  EXPECT_TRUE(std::isnan(sum_of({inf, -inf}).value()));
  EXPECT_TRUE(std::isnan(sum_of({std::nan(""), 1.0}).value()));
}

TEST(ExactSum, OrderAndSplitDoNotMatter) {
  std::mt19937_64 random(2);
  std::uniform_real_distribution<double> mantissa(-1, 1);
  for (int round = 0; round < 20; ++round) {
    std::vector<double> values(5000);
    for (double& value : values) value = std::ldexp(mantissa(random), static_cast<int>(random() % 200) - 100);
    const ExactSum whole = sum_of(values);
    std::shuffle(values.begin(), values.end(), random);
    const auto cut = values.begin() + static_cast<ptrdiff_t>(random() % values.size());
    ExactSum left = sum_of({values.begin(), cut});
    left.merge(sum_of({cut, values.end()}));
    EXPECT_EQ(left.value(), whole.value());
    EXPECT_EQ(bytes_of(left), bytes_of(whole));
  }
}

TEST(ExactSum, PartsAddUp) {
  const ExactSum sum = sum_of({1e200, 1.0, 1e-200, -3e-300});
  ExactSum again = sum_of(sum.parts());
  EXPECT_EQ(bytes_of(again), bytes_of(sum));
  EXPECT_TRUE(ExactSum().parts().empty());
}

TEST(ExactSum, BytesComeBack) {
  for (const std::vector<double>& values :
       {std::vector<double>{}, {0.1, 0.2}, {-1e300, 1e-300}, {HUGE_VAL}, {5e-324}, {-5e-324}}) {
    const std::string bytes = bytes_of(sum_of(values));
    StateReader in(bytes, 9, 1);
    ExactSum sum;
    sum.read(in);
    in.require_end();
    EXPECT_EQ(bytes_of(sum), bytes);
    EXPECT_EQ(sum.value(), sum_of(values).value());
  }
}

}  // namespace
}  // namespace maas
