#include "maas/kernels/elementwise.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <vector>

#include "maas/kernels/scalar_math.h"
#include "targets.h"

namespace maas {
namespace {

using test::bits;

constexpr MapOp kAllOps[] = {
    MapOp::kExp,        MapOp::kExpm1,    MapOp::kLog,  MapOp::kLog1p,    MapOp::kSigmoid,  MapOp::kTanh,
    MapOp::kErf,        MapOp::kSoftplus, MapOp::kRelu, MapOp::kClip,     MapOp::kMax,      MapOp::kMin,
    MapOp::kScaleShift, MapOp::kAxpy,     MapOp::kAdd,  MapOp::kSubtract, MapOp::kMultiply, MapOp::kDivide};

template <class T>
class ElementwiseTest : public testing::Test {};
using Floats = testing::Types<float, double>;
TYPED_TEST_SUITE(ElementwiseTest, Floats);

// An element's result must not depend on where it lies, on the array's length or on the buffer's alignment;
// and nothing past the arrays may be touched (the buffers end at an unreadable page).
TYPED_TEST(ElementwiseTest, ElementsDoNotDependOnLengthAlignmentOrPlace) {
  using T = TypeParam;
  test::for_each_target([&] {
    for (const MapOp op : kAllOps) {
      for (size_t n = 0; n <= test::kTailLengths<T>; ++n) {
        test::GuardedBuffer<T> x(n), y(n), out(n);
        for (size_t i = 0; i < n; ++i) {
          x[i] = static_cast<T>(0.1 + 0.07 * static_cast<double>(i));
          y[i] = static_cast<T>(1.5 - 0.05 * static_cast<double>(i));
        }
        map_arrays(op, n, x.data(), y.data(), out.data(), T(0.3), T(0.9));
        for (size_t i = 0; i < n; ++i) {
          T alone;
          map_arrays(op, 1, &x[i], &y[i], &alone, T(0.3), T(0.9));
          ASSERT_EQ(bits(out[i]), bits(alone)) << "op " << static_cast<int>(op) << " n " << n << " i " << i;
        }
      }
    }
  });
}

TYPED_TEST(ElementwiseTest, Arithmetic) {
  using T = TypeParam;
  const T x = T(3), y = T(-2), p = T(0.5), q = T(4);
  const auto at = [&](MapOp op) {
    T out;
    map_arrays(op, 1, &x, &y, &out, p, q);
    return out;
  };
  test::for_each_target([&] {
    EXPECT_EQ(at(MapOp::kScaleShift), T(5.5));
    EXPECT_EQ(at(MapOp::kAxpy), T(-0.5));
    EXPECT_EQ(at(MapOp::kAdd), T(1));
    EXPECT_EQ(at(MapOp::kSubtract), T(5));
    EXPECT_EQ(at(MapOp::kMultiply), T(-6));
    EXPECT_EQ(at(MapOp::kDivide), T(-1.5));
    EXPECT_EQ(at(MapOp::kMax), x);
    EXPECT_EQ(at(MapOp::kMin), y);
    EXPECT_EQ(at(MapOp::kClip), T(3));
  });
}

TYPED_TEST(ElementwiseTest, NaNAndZerosAreSelectedExplicitly) {
  using T = TypeParam;
  const T odd_nan = -std::numeric_limits<T>::signaling_NaN();
  const T nan = std::numeric_limits<T>::quiet_NaN(), infinity = std::numeric_limits<T>::infinity();
  const auto of = [](MapOp op, T x, T y, T p = T(-1), T q = T(1)) {
    T out;
    map_arrays(op, 1, &x, &y, &out, p, q);
    return bits(out);
  };
  test::for_each_target([&] {
    for (const MapOp op : {MapOp::kMax, MapOp::kMin}) {
      EXPECT_EQ(of(op, odd_nan, T(1)), bits(nan));
      EXPECT_EQ(of(op, T(1), odd_nan), bits(nan));
      EXPECT_EQ(of(op, T(0), -T(0)), bits(-T(0)));
      EXPECT_EQ(of(op, -T(0), T(0)), bits(T(0)));
    }
    EXPECT_EQ(of(MapOp::kRelu, odd_nan, T(0)), bits(nan));
    EXPECT_EQ(of(MapOp::kRelu, -T(0), T(0)), bits(T(0)));
    EXPECT_EQ(of(MapOp::kRelu, -infinity, T(0)), bits(T(0)));
    EXPECT_EQ(of(MapOp::kClip, odd_nan, T(0)), bits(nan));
    EXPECT_EQ(of(MapOp::kClip, infinity, T(0)), bits(T(1)));
    EXPECT_EQ(of(MapOp::kClip, -infinity, T(0)), bits(T(-1)));
  });
}

TEST(ScalarMath, HasTheBitsOfTheArrays) {
  const std::vector<double> x = {0.3, 1.0, 2.5, 700.0, 1e-300};
  std::vector<double> out(x.size());
  map_arrays(MapOp::kLog, x.size(), x.data(), nullptr, out.data());
  for (size_t i = 0; i < x.size(); ++i) EXPECT_EQ(scalar_log(x[i]), out[i]);
  map_arrays(MapOp::kExp, x.size(), x.data(), nullptr, out.data());
  for (size_t i = 0; i < x.size(); ++i) EXPECT_EQ(scalar_exp(x[i]), out[i]);
  EXPECT_EQ(scalar_pow(1.0, 0.25), 1.0);
  EXPECT_NEAR(scalar_pow(81.0, 0.25), 3.0, 1e-14);
}

}  // namespace
}  // namespace maas
