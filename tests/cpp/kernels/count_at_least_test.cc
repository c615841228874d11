#include "maas/kernels/count_at_least.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <limits>
#include <random>
#include <vector>

#include "targets.h"

namespace maas {
namespace {

template <class T>
std::vector<T> extremes() {
  using Limits = std::numeric_limits<T>;
  return {
      T(0),          -T(0),          Limits::quiet_NaN(),  Limits::infinity(),    -Limits::infinity(),
      Limits::max(), -Limits::max(), Limits::denorm_min(), -Limits::denorm_min(), std::nextafter(T(1), T(2)),
      T(1),          T(-1.5)};
}

template <class T>
std::vector<T> thresholds(size_t size) {
  std::vector<T> limits(size, std::numeric_limits<T>::infinity());
  limits[0] = -std::numeric_limits<T>::infinity();
  for (size_t k = 1; k + 3 < size; ++k) limits[k] = static_cast<T>(static_cast<int>(k) - 7) / 4;
  return limits;
}

template <class T>
void check(size_t size, size_t n, std::mt19937& random) {
  const std::vector<T> special = extremes<T>();
  std::vector<T> values(n);
  for (T& value : values) {
    value = random() % 2 ? special[random() % special.size()]
                         : static_cast<T>(static_cast<int>(random() % 80) - 40) / 4;
  }
  const std::vector<T> limits = thresholds<T>(size);
  std::vector<uint64_t> expected(size, 3);  // counts add up
  for (size_t k = 0; k < size; ++k) {
    for (const T value : values) expected[k] += value >= limits[k];
  }
  test::GuardedBuffer<T> guarded(values);
  std::vector<uint64_t> counts(size, 3);
  count_at_least(guarded.data(), sizeof(T), n, limits.data(), size, counts.data());
  ASSERT_EQ(counts, expected) << n << " values, " << size << " thresholds";

  // Backwards, a column among three, and at odd addresses.
  counts.assign(size, 3);
  const auto back = -static_cast<ptrdiff_t>(sizeof(T));
  count_at_least(guarded.data() + (n ? n - 1 : 0), back, n, limits.data(), size, counts.data());
  ASSERT_EQ(counts, expected);
  std::vector<char> bytes(3 * n * sizeof(T) + 1);
  for (size_t i = 0; i < n; ++i) std::memcpy(&bytes[3 * i * sizeof(T) + 1], &values[i], sizeof(T));
  counts.assign(size, 3);
  count_at_least(reinterpret_cast<const T*>(bytes.data() + 1), 3 * sizeof(T), n, limits.data(), size,
                 counts.data());
  ASSERT_EQ(counts, expected);
}

TEST(CountAtLeast, IsTheDefinitionOnEveryTarget) {
  test::for_each_target([] {
    std::mt19937 random(1);
    for (size_t groups = 1; groups <= 9; ++groups) {
      for (size_t n = 0; n <= test::kTailLengths<float>; ++n) {
        check<float>(groups * kThresholdGroup<float>, n, random);
        check<double>(groups * kThresholdGroup<double>, n, random);
      }
    }
  });
}

TEST(CountAtLeast, FloatThresholdsDivideFloatsAsTheirDoublesDo) {
  std::mt19937_64 random(2);
  std::vector<double> limits;
  for (const double limit : extremes<double>()) limits.push_back(limit);
  for (const float limit : extremes<float>()) limits.push_back(limit);
  for (const double scale : {1e-46, 1e-40, 1e-30, 1.0, 1e30, 1e38, 3.4028235e38, 3.5e38, 1e300}) {
    for (int i = 0; i < 200; ++i) {
      limits.push_back(scale * (static_cast<double>(random() >> 11) * 0x1p-52 - 1));
    }
  }
  for (const double limit : limits) {
    if (std::isnan(limit)) continue;
    const float threshold = float_threshold(limit);
    std::vector<float> values = extremes<float>();
    for (const float near : {threshold, static_cast<float>(limit)}) {
      values.insert(values.end(), {near, std::nextafter(near, HUGE_VALF), std::nextafter(near, -HUGE_VALF)});
    }
    for (const float value : values) {
      ASSERT_EQ(value >= threshold, static_cast<double>(value) >= limit) << value << " " << limit;
    }
  }
}

}  // namespace
}  // namespace maas
