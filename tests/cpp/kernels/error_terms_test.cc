#include "maas/kernels/error_terms.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <random>
#include <vector>

#include "targets.h"

namespace maas {
namespace {

using Wide = long double;

struct Case {
  ErrorTerm term;
  double parameter;
};

const Case kCases[] = {
    {ErrorTerm::kSquared, 0},    {ErrorTerm::kAbsolute, 0},   {ErrorTerm::kDifference, 0},
    {ErrorTerm::kPercentage, 0}, {ErrorTerm::kPinball, 0.25}, {ErrorTerm::kSquaredLog, 0},
    {ErrorTerm::kPoisson, 0},    {ErrorTerm::kGamma, 0},      {ErrorTerm::kTweedie, 1.5},
    {ErrorTerm::kTweedie, 1.3},  {ErrorTerm::kTweedie, -0.7}, {ErrorTerm::kTweedie, 3},
    {ErrorTerm::kLog, 0},        {ErrorTerm::kTimesLog, 0},   {ErrorTerm::kPower, 0.7},
    {ErrorTerm::kPower, -1.5},   {ErrorTerm::kPower, 3},
};

// The term, and the greatest of the numbers it is a sum of: rounding is judged against that.
struct Expected {
  Wide value, scale;
};

Expected expected(const Case& c, Wide y, Wide p) {
  const Wide q = c.parameter, e = y - p;
  const auto times_log = [](Wide a, Wide b) { return a == 0 ? Wide{0} : a * std::log(b); };
  switch (c.term) {
    case ErrorTerm::kSquared: return {e * e, e * e};
    case ErrorTerm::kAbsolute: return {std::fabs(e), std::fabs(e)};
    case ErrorTerm::kDifference: return {e, std::fabs(e)};
    case ErrorTerm::kPercentage: {
      const Wide share = std::fabs(e) / std::max(std::fabs(y), Wide{0x1p-52});
      return {share, share};
    }
    case ErrorTerm::kPinball: {
      const Wide loss = e >= 0 ? q * e : (q - 1) * e;
      return {loss, loss};
    }
    case ErrorTerm::kSquaredLog: {
      const Wide a = std::log1p(y), b = std::log1p(p), most = std::max(std::fabs(a), std::fabs(b));
      return {(a - b) * (a - b), std::max(most * std::fabs(a - b), Wide{1e-300})};
    }
    case ErrorTerm::kPoisson: {
      const Wide log = times_log(y, y / p);
      return {2 * (log - y + p), 2 * std::max({std::fabs(log), y, p})};
    }
    case ErrorTerm::kGamma: {
      const Wide log = std::log(p / y);
      return {2 * (log + y / p - 1), 2 * std::max({std::fabs(log), y / p, Wide{1}})};
    }
    case ErrorTerm::kTweedie: {
      const Wide own = std::pow(std::max(y, Wide{0}), 2 - q) / ((1 - q) * (2 - q));
      const Wide cross = y * std::pow(p, 1 - q) / (1 - q), rest = std::pow(p, 2 - q) / (2 - q);
      return {2 * (own - cross + rest), 2 * std::max({std::fabs(own), std::fabs(cross), std::fabs(rest)})};
    }
    case ErrorTerm::kLog: return {std::log(y), std::fabs(std::log(y))};
    case ErrorTerm::kTimesLog: return {times_log(y, y), std::fabs(times_log(y, y))};
    case ErrorTerm::kPower: return {std::pow(y, q), std::pow(y, q)};
  }
  return {};
}

TEST(ErrorTerms, MatchLongDouble) {
  std::mt19937_64 random(1);
  std::lognormal_distribution<double> spread(0, 2);
  std::vector<double> y(4000), p(4000), out(4000);
  for (size_t i = 0; i < y.size(); ++i) {
    y[i] = spread(random);
    p[i] = i % 7 == 0 ? y[i] : spread(random);
  }
  test::for_each_target([&] {
    for (const Case& c : kCases) {
      error_terms(c.term, c.parameter, y.data(), p.data(), y.size(), out.data());
      double worst = 0;
      for (size_t i = 0; i < y.size(); ++i) {
        const auto [value, scale] = expected(c, y[i], p[i]);
        const Wide unit = std::max(scale, Wide{1e-290}) * 0x1p-53L;
        worst = std::max(worst, static_cast<double>(std::fabs(out[i] - value) / unit));
      }
      EXPECT_LT(worst, 24) << static_cast<int>(c.term) << " " << c.parameter;
    }
  });
}

// The bound that the header states, where no root or product does.
TEST(ErrorTerms, PowersKeepTheirBound) {
  std::mt19937_64 random(2);
  std::uniform_real_distribution<double> exponent(-600, 600);
  std::vector<double> y(3000), out(3000);
  for (double& value : y) value = std::exp2(exponent(random));
  test::for_each_target([&] {
    const double per_unit = target_has_fma() ? 1 : 2;
    for (const double a : {0.3, 0.7, -0.4, 1.1, -1.3}) {
      error_terms(ErrorTerm::kPower, a, y.data(), nullptr, y.size(), out.data());
      for (size_t i = 0; i < y.size(); ++i) {
        const Wide exact = std::pow(static_cast<Wide>(y[i]), static_cast<Wide>(a));
        const double exponent_size = static_cast<double>(std::fabs(a * std::log(static_cast<Wide>(y[i]))));
        ASSERT_LE(test::ulp_error(out[i], exact), 2 + per_unit * exponent_size) << y[i] << "^" << a;
      }
    }
  });
}

TEST(ErrorTerms, ElementsDoNotDependOnLengthOrPlace) {
  test::for_each_target([&] {
    for (const Case& c : kCases) {
      for (size_t n = 0; n <= test::kTailLengths<double>; ++n) {
        test::GuardedBuffer<double> y(n), p(n), out(n);
        for (size_t i = 0; i < n; ++i) {
          y[i] = 0.2 + 0.37 * static_cast<double>(i);
          p[i] = 3.1 - 0.11 * static_cast<double>(i);
        }
        error_terms(c.term, c.parameter, y.data(), p.data(), n, out.data());
        for (size_t i = 0; i < n; ++i) {
          double alone;
          error_terms(c.term, c.parameter, &y[i], &p[i], 1, &alone);
          ASSERT_EQ(test::bits(alone), test::bits(out[i]));
        }
      }
    }
  });
}

TEST(ErrorTerms, SameBitsWhereverThereIsFma) {
  for (const Case& c : kCases) {
    test::expect_same_bits_on_fma_targets([&] {
      std::vector<double> y, p, out(999);
      for (int i = 0; i < 999; ++i) {
        y.push_back(0.01 + 0.013 * i);
        p.push_back(5.01 - 0.005 * i);
      }
      error_terms(c.term, c.parameter, y.data(), p.data(), y.size(), out.data());
      return out;
    });
  }
}

TEST(ErrorTerms, Extremes) {
  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  test::for_each_target([&] {
    const auto one = [](ErrorTerm term, double parameter, double y, double p) {
      double out;
      error_terms(term, parameter, &y, &p, 1, &out);
      return out;
    };
    EXPECT_EQ(one(ErrorTerm::kPoisson, 0, 0, 3), 6);
    EXPECT_EQ(one(ErrorTerm::kPoisson, 0, 3, 3), 0);
    EXPECT_EQ(one(ErrorTerm::kTimesLog, 0, 0, 0), 0);
    EXPECT_EQ(one(ErrorTerm::kPower, 0.7, 0, 0), 0);
    EXPECT_EQ(one(ErrorTerm::kPower, 0.3, -2, 0), 0);
    EXPECT_EQ(one(ErrorTerm::kPower, -0.5, 0.25, 0), 2);
    EXPECT_EQ(one(ErrorTerm::kPercentage, 0, 0, 1), 0x1p52);
    EXPECT_EQ(one(ErrorTerm::kSquared, 0, 1e200, -1e200), kInfinity);
    EXPECT_TRUE(std::isnan(one(ErrorTerm::kPinball, 0.5, std::nan(""), 1)));
    EXPECT_NEAR(one(ErrorTerm::kTweedie, 1.3, 0, 2), 2 * std::pow(2, 0.7) / 0.7, 1e-14);
  });
}

TEST(TargetRangeTest, LeastValuesAndFiniteness) {
  test::for_each_target([&] {
    for (size_t n = 1; n <= test::kTailLengths<double>; ++n) {
      std::vector<double> y(n), p(n);
      for (size_t i = 0; i < n; ++i) {
        y[i] = static_cast<double>((i * 7 + 3) % n) - 2;
        p[i] = static_cast<double>((i * 5 + 1) % n) + 1;
      }
      TargetRange range = target_range(y.data(), p.data(), n);
      EXPECT_EQ(range.least_y, *std::min_element(y.begin(), y.end()));
      EXPECT_EQ(range.least_predicted, *std::min_element(p.begin(), p.end()));
      EXPECT_TRUE(range.finite);
      for (const double bad : {HUGE_VAL, -HUGE_VAL, std::nan("")}) {
        p[n / 2] = bad;
        EXPECT_FALSE(target_range(y.data(), p.data(), n).finite);
        EXPECT_FALSE(target_range(p.data(), y.data(), n).finite);
      }
    }
  });
}

}  // namespace
}  // namespace maas
