// Dropout: which values go follows from (seed, stream, step, place) alone, forward and backward.
#include "maas/nn/dropout_layer.h"

#include <gtest/gtest.h>

#include <cmath>

#include "../targets.h"
#include "maas/base/aligned.h"
#include "maas/base/random.h"
#include "maas/base/thread_pool.h"
#include "maas/kernels/dropout.h"

namespace maas {
namespace {

template <class T>
struct Batch {
  Batch(size_t rows, size_t cols, T fill)
      : values(rows * row_stride<T>(cols), fill), matrix{values.data(), rows, cols} {}
  AlignedBuffer<T> values;
  BatchMatrix<T> matrix;
};

template <class T>
std::vector<T> forward(double rate, uint32_t stream, uint64_t seed, uint64_t step, size_t rows, size_t cols) {
  Batch<T> in(rows, cols, T(1)), out(rows, cols, T(-3));
  LayerPass<T> pass;
  pass.seed = seed, pass.step = step, pass.in = in.matrix, pass.out = out.matrix;
  DropoutLayer<T>(rate, stream).forward(pass);
  std::vector<T> values;
  for (size_t i = 0; i < rows; ++i) values.insert(values.end(), out.matrix.row(i), out.matrix.row(i) + cols);
  return values;
}

template <class T>
class DropoutTest : public testing::Test {};
using Types = testing::Types<float, double>;
TYPED_TEST_SUITE(DropoutTest, Types);

TYPED_TEST(DropoutTest, DropsWhatTheWordsSay) {
  using T = TypeParam;
  const DropoutMask mask{.seed = 5, .stream = 77, .counter = uint64_t{3} << 32, .threshold = 0x60000000};
  test::for_each_target([&] {
    for (const size_t cols : {1, 2, 7, 16, 17, 33, 2047, 2048, 2049, 5000}) {
      const size_t rows = 5, ld = cols + 3;
      std::vector<T> x(rows * ld), out(rows * ld, T(-1));
      for (size_t i = 0; i < x.size(); ++i) x[i] = static_cast<T>(i) / 7 + 1;
      dropout_rows(mask, T(1.6), 4, rows, cols, ld, x.data(), out.data());
      for (size_t i = 0; i < rows; ++i) {
        for (size_t j = 0; j < cols; ++j) {
          const size_t k = (4 + i) * cols + j;
          const uint32_t word = random_block(5, 77, mask.counter + k / 4)[k % 4];
          ASSERT_EQ(out[i * ld + j], word < mask.threshold ? T(0) : T(1.6) * x[i * ld + j]) << i << " " << j;
        }
        for (size_t j = cols; j < ld; ++j) ASSERT_EQ(out[i * ld + j], T(-1));
      }
    }
  });
}

TYPED_TEST(DropoutTest, DropsTheShareAskedForAndScalesTheRest) {
  using T = TypeParam;
  constexpr size_t kRows = 1000, kCols = 100;
  for (const double rate : {0.1, 0.5, 0.8}) {
    const std::vector<T> values = forward<T>(rate, 0, 1, 0, kRows, kCols);
    double dropped = 0;
    for (const T v : values) {
      ASSERT_TRUE(v == T(0) || v == static_cast<T>(1 / (1 - rate))) << v;
      dropped += v == T(0);
    }
    const double n = kRows * kCols;
    EXPECT_NEAR(dropped / n, rate, 5 * std::sqrt(rate * (1 - rate) / n));  // five standard deviations
  }
}

TYPED_TEST(DropoutTest, DependsOnSeedStreamAndStep) {
  using T = TypeParam;
  const auto base = forward<T>(0.5, 1, 2, 3, 20, 30);
  EXPECT_EQ(base, forward<T>(0.5, 1, 2, 3, 20, 30));
  EXPECT_NE(base, forward<T>(0.5, 2, 2, 3, 20, 30));
  EXPECT_NE(base, forward<T>(0.5, 1, 3, 3, 20, 30));
  EXPECT_NE(base, forward<T>(0.5, 1, 2, 4, 20, 30));
  // The rows of a smaller batch are dropped as the first of a larger.
  const auto fewer = forward<T>(0.5, 1, 2, 3, 7, 30);
  EXPECT_TRUE(std::equal(fewer.begin(), fewer.end(), base.begin()));
}

TYPED_TEST(DropoutTest, DropsTheSameBackward) {
  using T = TypeParam;
  constexpr size_t kRows = 50, kCols = 37;
  Batch<T> in(kRows, kCols, T(2)), out(kRows, kCols, T(0)), dy(kRows, kCols, T(2)), dx(kRows, kCols, T(0));
  LayerPass<T> pass;
  pass.seed = 9, pass.step = 4, pass.in = in.matrix, pass.out = out.matrix;
  pass.out_gradient = dy.matrix, pass.in_gradient = dx.matrix;
  const DropoutLayer<T> layer(0.3, 6);
  layer.forward(pass);
  layer.backward(pass);
  for (size_t i = 0; i < kRows; ++i) {
    for (size_t j = 0; j < kCols; ++j) ASSERT_EQ(out.matrix.row(i)[j], dx.matrix.row(i)[j]);
  }
  pass.in_gradient = {};
  layer.backward(pass);  // not wanted: nothing to do
}

TYPED_TEST(DropoutTest, KeepsAllAtRateZeroAndHardlyAnyBelowOne) {
  using T = TypeParam;
  for (const T v : forward<T>(0, 0, 1, 0, 9, 11)) ASSERT_EQ(v, T(1));
  for (const T v : forward<T>(std::nextafter(1.0, 0.0), 0, 1, 0, 9, 11)) ASSERT_EQ(v, T(0));
}

TYPED_TEST(DropoutTest, HasTheSameBitsOnAnyTargetAndNumberOfThreads) {
  using T = TypeParam;
  const auto reference = forward<T>(0.4, 1, 2, 3, 3000, 70);
  test::for_each_target([&] {
    for (const int threads : {1, 2, 4}) {
      set_num_threads(threads);
      ASSERT_EQ(forward<T>(0.4, 1, 2, 3, 3000, 70), reference);
    }
  });
  set_num_threads(1);
}

}  // namespace
}  // namespace maas
