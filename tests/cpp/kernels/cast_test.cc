#include "maas/kernels/cast.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <vector>

#include "targets.h"

namespace maas {
namespace {

// What one value becomes, and whether it could be held.
template <class To, class From>
std::pair<To, bool> cast_one(From v) {
  if constexpr (std::is_same_v<To, uint8_t>) {
    return {v != From{0} ? 1 : 0, true};
  } else if constexpr (std::is_floating_point_v<To>) {
    return {static_cast<To>(std::is_same_v<From, uint8_t> ? v != From{0} : v), true};
  } else if constexpr (std::is_floating_point_v<From>) {
    const long double whole = std::trunc(static_cast<long double>(v));
    const bool held = whole >= static_cast<long double>(std::numeric_limits<To>::min()) &&
                      whole <= static_cast<long double>(std::numeric_limits<To>::max());
    return {held ? static_cast<To>(v) : std::numeric_limits<To>::min(), held};
  } else {
    const To to = static_cast<To>(std::is_same_v<From, uint8_t> ? v != From{0} : v);
    return {to, std::is_same_v<From, uint8_t> || static_cast<int64_t>(to) == static_cast<int64_t>(v)};
  }
}

template <class From>
std::vector<From> interesting() {
  using Limits = std::numeric_limits<From>;
  std::vector<From> x = {0, 1, 2, 127, 200};
  if constexpr (!std::is_same_v<From, uint8_t>) {
    for (const From v : {From(-1), From(100000), Limits::max(), Limits::lowest()}) x.push_back(v);
  }
  if constexpr (sizeof(From) == 8) {
    for (const double v : {0x1p31, 0x1p31 - 1, -0x1p31, -0x1p31 - 1}) x.push_back(static_cast<From>(v));
  }
  if constexpr (std::is_floating_point_v<From>) {
    for (const double v :
         {0.5, -0.9, 1.9, 2147483647.5, -2147483648.5, 0x1p31, -0x1p31, 0x1p63, -0x1p63, 1e30})
      x.push_back(static_cast<From>(v));
    for (const From v : {Limits::infinity(), -Limits::infinity(), Limits::quiet_NaN(), -From(0)})
      x.push_back(v);
  }
  return x;
}

template <class From, class To>
void check_cast() {
  const auto x = interesting<From>();
  for (const From v : x) {  // alone
    To out;
    const auto [expected, held] = cast_one<To>(v);
    EXPECT_EQ(cast_values(1, &v, &out), held) << static_cast<double>(v);
    if (expected == expected) {
      EXPECT_EQ(out, expected) << static_cast<double>(v);
    } else {
      EXPECT_NE(out, out);
    }
  }
  for (size_t n = 0; n <= 140; ++n) {  // in arrays that end at an unreadable page
    test::GuardedBuffer<From> in(n);
    test::GuardedBuffer<To> out(n);
    bool all = true;
    for (size_t i = 0; i < n; ++i) in[i] = x[(i * 5 + n) % x.size()];
    const bool held = cast_values(n, in.data(), out.data());
    for (size_t i = 0; i < n; ++i) {
      const auto [expected, one] = cast_one<To>(in[i]);
      all &= one;
      if (expected == expected) {
        ASSERT_EQ(out[i], expected);
      }
    }
    ASSERT_EQ(held, all);
  }
}

template <class From>
class CastTest : public testing::Test {};
using Types = testing::Types<float, double, int32_t, int64_t, uint8_t>;
TYPED_TEST_SUITE(CastTest, Types);

TYPED_TEST(CastTest, ToEveryType) {
  test::for_each_target([&] {
    check_cast<TypeParam, float>();
    check_cast<TypeParam, double>();
    check_cast<TypeParam, int32_t>();
    check_cast<TypeParam, int64_t>();
    check_cast<TypeParam, uint8_t>();
  });
}

TEST(Cast, NaNIsCanonical) {
  const float x = -std::numeric_limits<float>::signaling_NaN();
  double out;
  cast_values(1, &x, &out);
  EXPECT_EQ(test::bits(out), test::bits(std::numeric_limits<double>::quiet_NaN()));
}

}  // namespace
}  // namespace maas
