// The order of a sum, checked bit by bit against the rule written out in scalar code.
#include <gtest/gtest.h>

#include <cmath>
#include <random>
#include <vector>

#include "maas/kernels/reduce.h"
#include "targets.h"

namespace maas {
namespace {

// The rule of kernels/sum-inl.h for terms that are exact in float64, so that FMA and plain addition agree.
double sum_by_the_rule(const std::vector<double>& terms) {
  constexpr size_t kPartials = 32;
  double partial[kPartials] = {};
  for (size_t k = 0; k < terms.size(); ++k) partial[k % kPartials] += terms[k];
  for (size_t half = kPartials / 2; half > 0; half /= 2) {
    for (size_t k = 0; k < half; ++k) partial[k] += partial[k + half];
  }
  return partial[0];
}

template <class T>
class SumTest : public testing::Test {};
using Floats = testing::Types<float, double>;
TYPED_TEST_SUITE(SumTest, Floats);

TYPED_TEST(SumTest, FollowsTheRuleAtEveryLengthAndNeverReadsPast) {
  std::mt19937_64 random(3);
  std::normal_distribution<double> normal;
  for (size_t n = 0; n <= 200; ++n) {
    test::GuardedBuffer<TypeParam> x(n);
    std::vector<double> terms(n);
    for (size_t k = 0; k < n; ++k) terms[k] = x[k] = static_cast<TypeParam>(normal(random) * 1e3);
    const double expected = sum_by_the_rule(terms);
    test::for_each_target([&] {
      EXPECT_EQ(test::bits(reduce(Reduction::kSum, n, x.data())), test::bits(expected)) << "n " << n;
    });
  }
}

TYPED_TEST(SumTest, ZerosInfinitiesAndNaN) {
  using T = TypeParam;
  const T infinity = std::numeric_limits<T>::infinity();
  test::for_each_target([&] {
    const std::vector<T> zeros(40, -T(0));
    EXPECT_EQ(test::bits(reduce(Reduction::kSum, zeros.size(), zeros.data())), test::bits(0.0));
    for (const size_t where : {0, 31, 32, 39}) {
      std::vector<T> x(40, T(1));
      x[where] = infinity;
      EXPECT_EQ(reduce(Reduction::kSum, x.size(), x.data()), infinity);
      x[39 - where] = x[where] == x[39 - where] ? x[where] : -infinity;
      x[where] = std::numeric_limits<T>::quiet_NaN();
      EXPECT_TRUE(std::isnan(reduce(Reduction::kSum, x.size(), x.data())));
    }
  });
}

}  // namespace
}  // namespace maas
