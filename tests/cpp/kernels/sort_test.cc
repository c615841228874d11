#include "maas/kernels/sort.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <functional>
#include <limits>
#include <numeric>
#include <random>
#include <vector>

#include "maas/base/thread_pool.h"

namespace maas {
namespace {

template <class T>
using Generator = std::function<T(std::mt19937_64&)>;

// Shapes of scores that stress one step each: balanced buckets, one crowded bucket, ties, tight clusters far
// below the leading bits, both signs, all exponents.
template <class T>
std::vector<Generator<T>> generators() {
  using Random = std::mt19937_64;
  const auto unit = [](Random& r) { return std::ldexp(static_cast<double>(r() >> 11), -53); };
  return {
      [=](Random& r) { return static_cast<T>(unit(r)); },
      [=](Random& r) { return static_cast<T>(std::normal_distribution<double>(0, 3)(r)); },
      [=](Random& r) { return static_cast<T>(std::floor(unit(r) * 10) / 10); },
      [=](Random&) { return T(0.25); },
      [=](Random& r) { return static_cast<T>((r() % 2) + unit(r) * 1e-12 + 0.5); },
      [=](Random& r) { return static_cast<T>((r() % 1000 == 0 ? 1e30 : 0.5 + unit(r) * 1e-9)); },
      [=](Random& r) { return static_cast<T>((r() % 2 ? 1 : -1) * std::exp((unit(r) - 0.5) * 150)); },
      [=](Random& r) { return std::numeric_limits<T>::denorm_min() * static_cast<T>(r() % 100); },
  };
}

constexpr size_t kLengths[] = {0, 1, 2, 3, 31, 32, 33, 100, 2047, 2048, 5000, 70000, 300000};

template <class T>
class SortTest : public testing::Test {
 protected:
  ~SortTest() override { set_num_threads(1); }
};
using Floats = testing::Types<float, double>;
TYPED_TEST_SUITE(SortTest, Floats);

TYPED_TEST(SortTest, KeysComeOutAscendingOnAnyNumberOfThreads) {
  using T = TypeParam;
  std::mt19937_64 random(1);
  for (const auto& generate : generators<T>()) {
    for (const size_t n : kLengths) {
      std::vector<T> keys(n);
      for (T& key : keys) key = generate(random);
      std::vector<T> expected = keys;
      std::sort(expected.begin(), expected.end());
      for (const int threads : {1, 2, 4}) {
        set_num_threads(threads);
        std::vector<T> got = keys;
        sort_keys(got.data(), n);
        ASSERT_EQ(got, expected) << "n " << n << " threads " << threads;
      }
    }
  }
}

TYPED_TEST(SortTest, ArgsortIsTheStableOrder) {
  using T = TypeParam;
  std::mt19937_64 random(2);
  for (const auto& generate : generators<T>()) {
    for (const size_t n : kLengths) {
      std::vector<T> keys(n);
      for (T& key : keys) key = generate(random);
      for (const SortOrder order : {SortOrder::kAscending, SortOrder::kDescending}) {
        std::vector<uint32_t> expected(n);
        std::iota(expected.begin(), expected.end(), 0);
        std::stable_sort(expected.begin(), expected.end(), [&](uint32_t a, uint32_t b) {
          return order == SortOrder::kAscending ? keys[a] < keys[b] : keys[a] > keys[b];
        });
        for (const int threads : {1, 2}) {
          set_num_threads(threads);
          std::vector<uint32_t> got(n);
          argsort(keys.data(), n, order, got.data());
          ASSERT_EQ(got, expected) << "n " << n << " threads " << threads;
        }
      }
    }
  }
}

TYPED_TEST(SortTest, ZerosAreEqualAndNaNGoesLast) {
  using T = TypeParam;
  using Limits = std::numeric_limits<T>;
  const T infinity = Limits::infinity();
  std::vector<T> keys = {T(0), -T(0), Limits::quiet_NaN(), infinity, -infinity, T(1), -T(0), T(0)};
  std::vector<uint32_t> index(keys.size());
  argsort(keys.data(), keys.size(), SortOrder::kAscending, index.data());
  EXPECT_EQ(index, (std::vector<uint32_t>{4, 0, 1, 6, 7, 5, 3, 2}));
  sort_keys(keys.data(), keys.size());
  EXPECT_EQ(keys[0], -infinity);
  for (const size_t i : {1, 2, 3, 4}) {
    EXPECT_EQ(keys[i], T(0));
    EXPECT_FALSE(std::signbit(keys[i]));
  }
  EXPECT_EQ(keys[6], infinity);
  EXPECT_TRUE(std::isnan(keys[7]));
}

}  // namespace
}  // namespace maas
