#include "maas/kernels/integers.h"

#include <gtest/gtest.h>

#include <limits>

namespace maas {
namespace {

template <class T>
class IntegersTest : public testing::Test {
 protected:
  T at(MapOp op, T x, T y) {
    T out = 77;
    ok_ = map_integers(op, 1, &x, &y, &out);
    return out;
  }
  bool ok_ = false;
};
using Types = testing::Types<int32_t, int64_t>;
TYPED_TEST_SUITE(IntegersTest, Types);

TYPED_TEST(IntegersTest, Arithmetic) {
  using T = TypeParam;
  constexpr T kMost = std::numeric_limits<T>::max(), kLeast = std::numeric_limits<T>::min();
  EXPECT_EQ(this->at(MapOp::kAdd, kMost, 1), kLeast);
  EXPECT_EQ(this->at(MapOp::kSubtract, kLeast, 1), kMost);
  EXPECT_EQ(this->at(MapOp::kMultiply, kMost, 2), T(-2));
  EXPECT_EQ(this->at(MapOp::kMax, -3, 2), T(2));
  EXPECT_EQ(this->at(MapOp::kMin, -3, 2), T(-3));
  EXPECT_EQ(this->at(MapOp::kAbs, -3, 0), T(3));
  EXPECT_EQ(this->at(MapOp::kNeg, kLeast, 0), kLeast);
  EXPECT_EQ(this->at(MapOp::kSign, -9, 0), T(-1));
  EXPECT_EQ(this->at(MapOp::kPow, -3, 5), T(-243));
  EXPECT_EQ(this->at(MapOp::kPow, 0, 0), T(1));
  EXPECT_EQ(this->at(MapOp::kPow, 2, -1), T(0));
  EXPECT_EQ(this->at(MapOp::kPow, -1, -3), T(-1));
  EXPECT_TRUE(this->ok_);
}

TYPED_TEST(IntegersTest, Division) {
  using T = TypeParam;
  constexpr T kLeast = std::numeric_limits<T>::min();
  EXPECT_EQ(this->at(MapOp::kDivide, -7, 2), T(-3));
  EXPECT_EQ(this->at(MapOp::kDivide, kLeast, -1), kLeast);
  EXPECT_EQ(this->at(MapOp::kFmod, -7, 3), T(-1));
  EXPECT_EQ(this->at(MapOp::kFmod, 7, -3), T(1));
  EXPECT_EQ(this->at(MapOp::kMod, -7, 3), T(2));
  EXPECT_EQ(this->at(MapOp::kMod, 7, -3), T(-2));
  EXPECT_EQ(this->at(MapOp::kMod, 6, -3), T(0));
  EXPECT_EQ(this->at(MapOp::kFmod, kLeast, -1), T(0));
  EXPECT_TRUE(this->ok_);
  for (const MapOp op : {MapOp::kDivide, MapOp::kFmod, MapOp::kMod}) {
    EXPECT_EQ(this->at(op, 5, 0), T(0));
    EXPECT_FALSE(this->ok_);
  }
}

}  // namespace
}  // namespace maas
