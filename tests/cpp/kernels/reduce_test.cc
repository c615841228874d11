#include "maas/kernels/reduce.h"

#include <gtest/gtest.h>

#include <cmath>
#include <random>
#include <vector>

#include "maas/base/thread_pool.h"
#include "targets.h"

namespace maas {
namespace {

constexpr Reduction kReductions[] = {Reduction::kSum,
                                     Reduction::kSumSquares,
                                     Reduction::kSumAbsolute,
                                     Reduction::kDot,
                                     Reduction::kSquaredDifference,
                                     Reduction::kAbsoluteDifference,
                                     Reduction::kWeightedSum,
                                     Reduction::kWeightedSquaredDifference,
                                     Reduction::kWeightedAbsoluteDifference};

long double term(Reduction op, long double x, long double y, long double w) {
  switch (op) {
    case Reduction::kSum: return x;
    case Reduction::kSumSquares: return x * x;
    case Reduction::kSumAbsolute: return std::fabs(x);
    case Reduction::kDot: return x * y;
    case Reduction::kSquaredDifference: return (x - y) * (x - y);
    case Reduction::kAbsoluteDifference: return std::fabs(x - y);
    case Reduction::kWeightedSum: return w * x;
    case Reduction::kWeightedSquaredDifference: return w * (x - y) * (x - y);
    case Reduction::kWeightedAbsoluteDifference: return w * std::fabs(x - y);
  }
  return 0;
}

template <class T>
std::vector<T> normal_values(size_t n, unsigned seed) {
  std::mt19937_64 random(seed);
  std::normal_distribution<double> normal(0.5, 1);
  std::vector<T> x(n);
  for (T& v : x) v = static_cast<T>(normal(random));
  return x;
}

template <class T>
class ReduceTest : public testing::Test {};
using Floats = testing::Types<float, double>;
TYPED_TEST_SUITE(ReduceTest, Floats);

TYPED_TEST(ReduceTest, MatchesLongDoubleAndNeverReadsPast) {
  using T = TypeParam;
  for (const size_t n : {0, 1, 2, 7, 8, 16, 31, 32, 33, 64, 65, 1000}) {
    const test::GuardedBuffer<T> x(normal_values<T>(n, 1)), y(normal_values<T>(n, 2));
    const test::GuardedBuffer<double> w(normal_values<double>(n, 3));
    for (const Reduction op : kReductions) {
      long double exact = 0, magnitude = 0;
      for (size_t i = 0; i < n; ++i) {
        const long double t = term(op, x.data()[i], y.data()[i], w.data()[i]);
        exact += t;
        magnitude += std::fabs(t);
      }
      test::for_each_target([&] {
        const double got = reduce(op, n, x.data(), y.data(), w.data());
        EXPECT_NEAR(got, static_cast<double>(exact), 1e-15 * static_cast<double>(magnitude))
            << "op " << static_cast<int>(op) << " n " << n;
      });
    }
  }
}

TYPED_TEST(ReduceTest, SameBitsOnTargetsThreadsAndAlignments) {
  using T = TypeParam;
  const size_t n = 300001;
  const auto x = normal_values<T>(n + 3, 1), y = normal_values<T>(n + 3, 2);
  const auto w = normal_values<double>(n + 3, 3);
  for (const Reduction op : kReductions) {
    test::expect_same_bits_on_fma_targets([&] {
      std::vector<double> results;
      for (const int threads : {1, 2, 4}) {
        set_num_threads(threads);
        results.push_back(reduce_parallel(op, n, x.data() + 1, y.data() + 1, w.data() + 1));
      }
      set_num_threads(1);
      EXPECT_EQ(results[0], results[1]);
      EXPECT_EQ(results[0], results[2]);
      const std::vector<T> moved(x.begin() + 1, x.end());
      results.push_back(reduce_parallel(op, n, moved.data(), y.data() + 1, w.data() + 1));
      EXPECT_EQ(results[0], results[3]);
      return results;
    });
  }
}

TYPED_TEST(ReduceTest, ExtremesSeeEveryElementAndNaN) {
  using T = TypeParam;
  const T infinity = std::numeric_limits<T>::infinity();
  test::for_each_target([&] {
    EXPECT_EQ(extremes(static_cast<const T*>(nullptr), 0).min, infinity);
    EXPECT_EQ(extremes(static_cast<const T*>(nullptr), 0).max, -infinity);
    for (size_t n = 1; n <= test::kTailLengths<T>; ++n) {
      for (size_t at = 0; at < n; ++at) {
        test::GuardedBuffer<T> x(std::vector<T>(n, T(1)));
        x[at] = T(-3);
        EXPECT_EQ(extremes(x.data(), n).min, T(-3));
        x[at] = infinity;
        EXPECT_EQ(extremes(x.data(), n).max, infinity);
        x[at] = std::numeric_limits<T>::quiet_NaN();
        EXPECT_TRUE(std::isnan(extremes(x.data(), n).min));
        EXPECT_TRUE(std::isnan(extremes(x.data(), n).max));
      }
    }
  });
}

TYPED_TEST(ReduceTest, AllFiniteFindsOneBadElementAnywhere) {
  using T = TypeParam;
  const T bad[] = {std::numeric_limits<T>::infinity(), -std::numeric_limits<T>::infinity(),
                   std::numeric_limits<T>::quiet_NaN()};
  test::for_each_target([&] {
    for (size_t n = 0; n <= 2 * 64 + 1; ++n) {
      test::GuardedBuffer<T> x(std::vector<T>(n, std::numeric_limits<T>::max()));
      EXPECT_TRUE(all_finite(x.data(), n));
      for (size_t at = 0; at < n; at += 7) {
        x[at] = bad[at % 3];
        EXPECT_FALSE(all_finite(x.data(), n));
        x[at] = std::numeric_limits<T>::denorm_min();
      }
    }
  });
}

}  // namespace
}  // namespace maas
