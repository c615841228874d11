#include "maas/kernels/softmax.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <random>
#include <vector>

#include "targets.h"

namespace maas {
namespace {

constexpr RowOp kOps[] = {RowOp::kSoftmax, RowOp::kLogSoftmax, RowOp::kLogSumExp};

template <class T>
long double exact(RowOp op, const T* row, size_t cols, size_t j) {
  long double shift = *std::max_element(row, row + cols), total = 0;
  for (size_t k = 0; k < cols; ++k) total += std::exp(row[k] - shift);
  if (op == RowOp::kSoftmax) return std::exp(row[j] - shift) / total;
  return op == RowOp::kLogSoftmax ? row[j] - shift - std::log(total) : shift + std::log(total);
}

template <class T>
std::vector<T> scores(size_t size, unsigned seed) {
  std::mt19937_64 random(seed);
  std::normal_distribution<double> normal(3, 8);
  std::vector<T> x(size);
  for (T& v : x) v = static_cast<T>(normal(random));
  return x;
}

template <class T>
class SoftmaxTest : public testing::Test {};
using Floats = testing::Types<float, double>;
TYPED_TEST_SUITE(SoftmaxTest, Floats);

TYPED_TEST(SoftmaxTest, MatchesLongDoubleAtEveryWidthAndInPlace) {
  using T = TypeParam;
  const double tolerance = 16 * std::numeric_limits<T>::epsilon();
  test::for_each_target([&] {
    for (size_t cols = 1; cols <= 140; cols += cols < 40 ? 1 : 13) {
      const auto values = scores<T>(cols, 5);
      const test::GuardedBuffer<T> x(values);
      for (const RowOp op : kOps) {
        const size_t width = op == RowOp::kLogSumExp ? 1 : cols;
        test::GuardedBuffer<T> out(width), in_place(values);
        map_rows(op, x.data(), 1, cols, cols, out.data(), width);
        for (size_t j = 0; j < width; ++j) {
          const auto expected = static_cast<double>(exact(op, values.data(), cols, j));
          ASSERT_NEAR(out[j], expected, tolerance * std::max(1.0, std::fabs(expected)))
              << "op " << static_cast<int>(op) << " cols " << cols << " j " << j;
        }
        if (op == RowOp::kLogSumExp) continue;
        map_rows(op, in_place.data(), 1, cols, cols, in_place.data(), cols);
        for (size_t j = 0; j < cols; ++j) ASSERT_EQ(test::bits(in_place[j]), test::bits(out[j]));
      }
    }
  });
}

TYPED_TEST(SoftmaxTest, SameBitsOnTargetsAndARowAlone) {
  using T = TypeParam;
  const size_t rows = 5, cols = 100, ld = 103;
  const auto x = scores<T>(rows * ld, 6);
  for (const RowOp op : kOps) {
    test::expect_same_bits_on_fma_targets([&] {
      std::vector<T> out(rows * cols), alone(cols);
      map_rows(op, x.data(), rows, cols, ld, out.data(), cols);
      map_rows(op, x.data() + 3 * ld, 1, cols, ld, alone.data(), cols);
      EXPECT_EQ(alone[0], out[3 * cols]);
      return out;
    });
  }
}

TYPED_TEST(SoftmaxTest, InfinityAndNaN) {
  using T = TypeParam;
  const T infinity = std::numeric_limits<T>::infinity(), nan = std::numeric_limits<T>::quiet_NaN();
  const auto of = [](RowOp op, std::vector<T> x) {
    std::vector<T> out(x.size());
    map_rows(op, x.data(), 1, x.size(), x.size(), out.data(), x.size());
    return out;
  };
  test::for_each_target([&] {
    EXPECT_EQ(of(RowOp::kSoftmax, {T(1), -infinity, T(1)}), (std::vector<T>{T(0.5), T(0), T(0.5)}));
    EXPECT_EQ(of(RowOp::kLogSumExp, {T(1), infinity})[0], infinity);
    EXPECT_EQ(of(RowOp::kLogSumExp, {-infinity, -infinity})[0], -infinity);
    EXPECT_EQ(of(RowOp::kSoftmax, {T(1e4), T(-1e4)}), (std::vector<T>{T(1), T(0)}));
    for (const RowOp op : kOps) EXPECT_EQ(test::bits(of(op, {T(1), -nan, T(2)})[0]), test::bits(nan));
    EXPECT_EQ(test::bits(of(RowOp::kSoftmax, {-infinity, -infinity})[1]), test::bits(nan));
  });
}

TYPED_TEST(SoftmaxTest, ArgmaxTakesTheFirstOfEqualsAndTheFirstNaN) {
  using T = TypeParam;
  const T nan = std::numeric_limits<T>::quiet_NaN();
  const std::vector<T> x = {1, 3, 3, 2, -nan, 5, 9, nan, -2, -1, -4, -1};
  std::vector<uint32_t> out(3);
  argmax_rows(x.data(), 3, 4, 4, out.data());
  EXPECT_EQ(out, (std::vector<uint32_t>{1, 0, 1}));
}

}  // namespace
}  // namespace maas
