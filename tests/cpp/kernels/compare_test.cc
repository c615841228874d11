#include "maas/kernels/compare.h"

#include <gtest/gtest.h>

#include <cstring>
#include <limits>
#include <vector>

#include "targets.h"

namespace maas {
namespace {

template <class T>
class CompareTest : public testing::Test {};
using Types = testing::Types<float, double, int32_t, int64_t, uint8_t>;
TYPED_TEST_SUITE(CompareTest, Types);

TYPED_TEST(CompareTest, EveryOperationAtEveryLength) {
  using T = TypeParam;
  test::for_each_target([&] {
    for (size_t n = 0; n <= 2 * 64 / sizeof(T) + 70; ++n) {
      test::GuardedBuffer<T> x(n), y(n), chosen(n);
      test::GuardedBuffer<uint8_t> out(n), condition(n);
      for (size_t i = 0; i < n; ++i) {
        x[i] = static_cast<T>(i % 3);
        y[i] = static_cast<T>(i % 5 % 3);
        if (std::is_floating_point_v<T> && i % 7 == 6) x[i] = std::numeric_limits<T>::quiet_NaN();
        condition[i] = static_cast<uint8_t>(i % 4);
      }
      const auto check = [&](CompareOp op, auto fn) {
        find_compare<T>(op)(n, x.data(), y.data(), out.data());
        for (size_t i = 0; i < n; ++i) ASSERT_EQ(out[i], fn(x[i], y[i]) ? 1 : 0) << n << " at " << i;
      };
      check(CompareOp::kEqual, [](T a, T b) { return a == b; });
      check(CompareOp::kLess, [](T a, T b) { return a < b; });
      check(CompareOp::kLessOrEqual, [](T a, T b) { return a <= b; });
      check(CompareOp::kGreater, [](T a, T b) { return a > b; });
      check(CompareOp::kGreaterOrEqual, [](T a, T b) { return a >= b; });
      find_select<T>()(n, condition.data(), x.data(), y.data(), chosen.data());
      for (size_t i = 0; i < n; ++i) {
        ASSERT_EQ(std::memcmp(&chosen[i], i % 4 != 0 ? &x[i] : &y[i], sizeof(T)), 0);
      }
    }
  });
}

TEST(Compare, Logic) {
  const std::vector<uint8_t> x = {0, 0, 1, 1, 2}, y = {0, 1, 0, 1, 4};
  using Bytes = std::vector<uint8_t>;
  test::for_each_target([&] {
    Bytes out(5);
    map_logic(LogicOp::kAnd, 5, x.data(), y.data(), out.data());
    EXPECT_EQ(out, (Bytes{0, 0, 0, 1, 1}));
    map_logic(LogicOp::kOr, 5, x.data(), y.data(), out.data());
    EXPECT_EQ(out, (Bytes{0, 1, 1, 1, 1}));
    map_logic(LogicOp::kXor, 5, x.data(), y.data(), out.data());
    EXPECT_EQ(out, (Bytes{0, 1, 1, 0, 0}));
    map_not(5, x.data(), out.data());
    EXPECT_EQ(out, (Bytes{1, 1, 0, 0, 0}));
  });
}

TEST(Compare, NaNAndInfinity) {
  const double infinity = std::numeric_limits<double>::infinity();
  const std::vector<double> x = {0,
                                 infinity,
                                 -infinity,
                                 std::numeric_limits<double>::quiet_NaN(),
                                 -std::numeric_limits<double>::signaling_NaN(),
                                 1e308};
  using Bytes = std::vector<uint8_t>;
  test::for_each_target([&] {
    Bytes out(6);
    is_nan(6, x.data(), out.data());
    EXPECT_EQ(out, (Bytes{0, 0, 0, 1, 1, 0}));
    is_inf(6, x.data(), true, true, out.data());
    EXPECT_EQ(out, (Bytes{0, 1, 1, 0, 0, 0}));
    is_inf(6, x.data(), true, false, out.data());
    EXPECT_EQ(out, (Bytes{0, 1, 0, 0, 0, 0}));
    is_inf(6, x.data(), false, true, out.data());
    EXPECT_EQ(out, (Bytes{0, 0, 1, 0, 0, 0}));
    is_inf(6, x.data(), false, false, out.data());
    EXPECT_EQ(out, (Bytes{0, 0, 0, 0, 0, 0}));
  });
}

}  // namespace
}  // namespace maas
