// Arrays of random numbers: the sequence they come from, and the quantile of the normal distribution.
#include "maas/kernels/random_fill.h"

#include <gtest/gtest.h>

#include <cmath>

#include "../targets.h"
#include "maas/base/random.h"
#include "maas/base/thread_pool.h"

namespace maas {
namespace {

TEST(RandomFill, IsTheSequenceOfUniforms) {
  test::for_each_target([] {
    for (const size_t n : {0, 1, 2, 511, 512, 513, 1025, 40'001}) {
      test::GuardedBuffer<double> out(n);
      random_uniform(3, uint64_t{9} << 32, n, out.data());
      RandomStream stream(3, uint64_t{9} << 32);
      for (size_t i = 0; i < n; ++i) ASSERT_EQ(out[i], stream.uniform()) << i;
    }
  });
}

// As many standard errors off as five.
TEST(RandomFill, HasTheMomentsOfTheNormalDistribution) {
  constexpr size_t kCount = 400'000;
  std::vector<double> x(kCount);
  random_normal(1, 2, kCount, x.data());
  double powers[4] = {};
  for (const double v : x) {
    double term = 1;
    for (double& power : powers) power += (term *= v);
  }
  const double root = std::sqrt(double{kCount});
  EXPECT_NEAR(powers[0] / kCount, 0, 5 * 1 / root);
  EXPECT_NEAR(powers[1] / kCount, 1, 5 * std::sqrt(2) / root);
  EXPECT_NEAR(powers[2] / kCount, 0, 5 * std::sqrt(15) / root);
  EXPECT_NEAR(powers[3] / kCount, 3, 5 * std::sqrt(96) / root);
}

// Back through the distribution function: its error moves a quantile by error / density.
TEST(RandomFill, InvertsTheNormalDistribution) {
  std::vector<double> p;
  for (int k = 1; k < 4000; ++k) p.push_back(k / 4000.0);
  for (int k = 8; k <= 1070; ++k) p.push_back(std::ldexp(1.0, -k));
  for (int k = 8; k <= 53; ++k) p.push_back(1 - std::ldexp(1.0, -k));
  test::for_each_target([&] {
    std::vector<double> x(p.size());
    normal_quantiles(p.size(), p.data(), x.data());
    for (size_t i = 0; i < p.size(); ++i) {
      const long double root2 = std::sqrt(2.0L), pi = std::acos(-1.0L), at = x[i];
      const bool upper = p[i] > 0.5;
      const long double share = upper ? 1 - static_cast<long double>(p[i]) : p[i];
      const long double found = std::erfc((upper ? at : -at) / root2) / 2;
      const long double density = std::exp(-at * at / 2) / std::sqrt(2 * pi);
      const long double error = std::fabs((found - share) / density);
      ASSERT_LT(static_cast<double>(error), 2e-15 * std::max(std::fabs(x[i]), 1e-3)) << p[i];
    }
  });
}

TEST(RandomFill, IsSymmetricAndRefusesTheEnds) {
  const double p[] = {0.5, 0.25, 0.75, 0x1p-40, 1 - 0x1p-40, 0, 1, -1, std::nan("")};
  double x[9];
  normal_quantiles(9, p, x);
  EXPECT_EQ(x[0], 0);
  EXPECT_EQ(x[1], -x[2]);
  EXPECT_EQ(x[3], -x[4]);
  for (int i = 5; i < 9; ++i) EXPECT_TRUE(std::isnan(x[i]));
}

TEST(RandomFill, HasTheSameBitsOnAnyTargetAndNumberOfThreads) {
  test::expect_same_bits_on_fma_targets([] {
    std::vector<double> one(50'001), more(50'001);
    set_num_threads(1);
    random_normal(7, 1, one.size(), one.data());
    set_num_threads(4);
    random_normal(7, 1, more.size(), more.data());
    set_num_threads(1);
    EXPECT_EQ(one, more);
    return one;
  });
}

}  // namespace
}  // namespace maas
