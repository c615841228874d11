#include "maas/kernels/norm.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <vector>

#include "targets.h"

namespace maas {
namespace {

template <class T>
T value(size_t i, double low, double high) {
  return static_cast<T>(low + (high - low) * static_cast<double>(i * 2654435761u % 10007) / 10007);
}

template <class T>
class NormTest : public testing::Test {};
using Floats = testing::Types<float, double>;
TYPED_TEST_SUITE(NormTest, Floats);

TYPED_TEST(NormTest, ScalerRoundsEachOperation) {
  using T = TypeParam;
  test::for_each_target([&] {
    for (size_t cols = 1; cols <= test::kTailLengths<T>; ++cols) {
      const size_t rows = 3, ld = cols + 2;
      test::GuardedBuffer<T> x((rows - 1) * ld + cols), out(rows * cols), offset(cols), scale(cols);
      for (size_t i = 0; i + 1 < rows * ld - 1; ++i) x[i] = value<T>(i, -5, 5);
      for (size_t j = 0; j < cols; ++j)
        offset[j] = value<T>(j + 3, -1, 1), scale[j] = value<T>(j + 5, 0.5, 2);
      for (const ScaleBy by : {ScaleBy::kMultiply, ScaleBy::kDivide}) {
        find_norms<T>().scale({offset.data(), scale.data(), by}, x.data(), rows, cols, ld, out.data(), cols);
        for (size_t i = 0; i < rows; ++i) {
          for (size_t j = 0; j < cols; ++j) {
            const T shifted = x[i * ld + j] - offset[j];
            ASSERT_EQ(out[i * cols + j], by == ScaleBy::kDivide ? shifted / scale[j] : shifted * scale[j]);
          }
        }
      }
    }
  });
}

TYPED_TEST(NormTest, BatchNormOfColumnsAndOfChannels) {
  using T = TypeParam;
  const size_t rows = 4;
  test::for_each_target([&] {
    for (const size_t channels : {1, 3, 17, 33}) {
      for (const size_t inner : {1, 2, 18}) {
        std::vector<T> mean(channels), variance(channels), deviation(channels), scale(channels),
            shift(channels);
        for (size_t c = 0; c < channels; ++c) {
          mean[c] = value<T>(c, -1, 1), variance[c] = value<T>(c + 1, 0.1, 3);
          scale[c] = value<T>(c + 2, -2, 2), shift[c] = value<T>(c + 3, -1, 1);
        }
        norm_deviation(variance.data(), channels, T(1e-5), deviation.data());
        test::GuardedBuffer<T> x(rows * channels * inner), out(rows * channels * inner);
        const size_t n = rows * channels * inner;
        for (size_t i = 0; i < n; ++i) x[i] = value<T>(i, -4, 4);
        const BatchNorm<T> by{mean.data(), deviation.data(), scale.data(), shift.data()};
        find_norms<T>().batch_channels(by, x.data(), rows, channels, inner, out.data());
        for (size_t i = 0; i < n; ++i) {
          const size_t c = i / inner % channels;
          const T ratio = (x[i] - mean[c]) / std::sqrt(variance[c] + T(1e-5));
          const T expected =
              target_has_fma() ? std::fma(ratio, scale[c], shift[c]) : ratio * scale[c] + shift[c];
          ASSERT_EQ(out[i], expected);
        }
        if (inner > 1) continue;
        std::vector<T> again(n);
        find_norms<T>().batch(by, x.data(), rows, channels, channels, again.data(), channels);
        for (size_t i = 0; i < n; ++i) ASSERT_EQ(again[i], out[i]);
      }
    }
  });
}

template <class T>
std::vector<T> layer_norm(size_t rows, size_t cols, bool with_bias, double offset) {
  test::GuardedBuffer<T> x(rows * cols), out(rows * cols), scale(cols), bias(cols);
  for (size_t i = 0; i < rows * cols; ++i) x[i] = value<T>(i, offset - 3, offset + 3);
  for (size_t j = 0; j < cols; ++j) scale[j] = value<T>(j + 3, 0.5, 2), bias[j] = value<T>(j + 5, -1, 1);
  find_norms<T>().layer(x.data(), rows, cols, scale.data(), with_bias ? bias.data() : nullptr, T(1e-5),
                        out.data());
  for (size_t i = 0; i < rows; ++i) {
    long double mean = 0, variance = 0;
    for (size_t j = 0; j < cols; ++j) mean += x[i * cols + j];
    mean /= static_cast<long double>(cols);
    for (size_t j = 0; j < cols; ++j) variance += (x[i * cols + j] - mean) * (x[i * cols + j] - mean);
    variance /= static_cast<long double>(cols);
    for (size_t j = 0; j < cols; ++j) {
      const long double ratio = (x[i * cols + j] - mean) / std::sqrt(variance + T(1e-5));
      const long double exact = ratio * scale[j] + (with_bias ? static_cast<long double>(bias[j]) : 0);
      const long double unit = std::numeric_limits<T>::epsilon() * (10 + std::fabs(offset) * 20);
      EXPECT_NEAR(static_cast<double>(out[i * cols + j]), static_cast<double>(exact),
                  static_cast<double>(unit));
    }
  }
  return {out.data(), out.data() + rows * cols};
}

TYPED_TEST(NormTest, LayerNormAgainstLongDouble) {
  using T = TypeParam;
  test::for_each_target([&] {
    for (const size_t cols : {2, 3, 15, 16, 17, 33, 64, 65, 200, 768}) {
      for (const bool with_bias : {false, true}) {
        layer_norm<T>(3, cols, with_bias, 0);
        layer_norm<T>(1, cols, with_bias, 10);
      }
    }
    const std::vector<T> x = {std::numeric_limits<T>::quiet_NaN(), 1}, one = {1, 1};
    std::vector<T> out(2);
    find_norms<T>().layer(x.data(), 1, 2, one.data(), one.data(), 0, out.data());
    for (const T v : out) EXPECT_EQ(test::bits(v), test::bits(std::numeric_limits<T>::quiet_NaN()));
  });
  test::expect_same_bits_on_fma_targets([] { return layer_norm<T>(4, 77, true, 1); });
}

}  // namespace
}  // namespace maas
