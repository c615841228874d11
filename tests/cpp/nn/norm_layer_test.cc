#include "maas/nn/norm_layer.h"

#include <gtest/gtest.h>

#include <cmath>
#include <memory>
#include <vector>

#include "layer_harness.h"
#include "maas/base/thread_pool.h"
#include "targets.h"

namespace maas {
namespace {

using test::harness_values;
using test::LayerRun;
using test::TestParameter;

template <class T>
class NormLayerTest : public testing::Test {};
using Floats = testing::Types<float, double>;
TYPED_TEST_SUITE(NormLayerTest, Floats);

template <class T>
struct BatchNormCase {
  size_t cols;
  TestParameter<T> scale{harness_values<T>(cols, 0.5, 2, 1)}, shift{harness_values<T>(cols, -1, 1, 2)};
  TestParameter<T> mean{harness_values<T>(cols, -1, 1, 3)}, variance{harness_values<T>(cols, 0.5, 2, 4)};

  explicit BatchNormCase(size_t columns) : cols(columns) {}
  BatchNormLayer<T> layer(bool affine = true) {
    typename BatchNormLayer<T>::Parameters parameters{{}, {}, mean.frozen(), variance.frozen()};
    if (affine) parameters.scale = scale.get(), parameters.shift = shift.get();
    return BatchNormLayer<T>(cols, parameters, T(1e-3), T(0.9));
  }
  void expect_padding_kept() {
    for (TestParameter<T>* p : {&scale, &shift, &mean, &variance}) p->expect_padding_kept();
  }
};

struct Moments {
  long double mean = 0, variance = 0;
};

template <class T>
Moments column_moments(const std::vector<T>& x, size_t rows, size_t cols, size_t j) {
  Moments m;
  for (size_t i = 0; i < rows; ++i) m.mean += x[i * cols + j];
  m.mean /= static_cast<long double>(rows);
  for (size_t i = 0; i < rows; ++i) m.variance += (x[i * cols + j] - m.mean) * (x[i * cols + j] - m.mean);
  m.variance /= static_cast<long double>(rows);
  return m;
}

TYPED_TEST(NormLayerTest, BatchNormAgainstLongDouble) {
  using T = TypeParam;
  const double unit = std::numeric_limits<T>::epsilon();
  test::for_each_target([&] {
    for (const size_t rows : {1, 2, 31}) {
      for (const size_t cols : {1, 7, 16, 17, 33, 65}) {
        for (const bool affine : {false, true}) {
          BatchNormCase<T> c(cols);
          const auto before_mean = c.mean.values(), before_variance = c.variance.values();
          const auto layer = c.layer(affine);
          const auto x = harness_values<T>(rows * cols, -4, 4);
          const auto y = LayerRun<T>(layer, rows, {1, cols}).forward(x);
          for (size_t j = 0; j < cols; ++j) {
            const Moments m = column_moments(x, rows, cols, j);
            ASSERT_NEAR(c.mean[j], static_cast<double>(0.9L * before_mean[j] + 0.1L * m.mean), 8 * unit);
            ASSERT_NEAR(c.variance[j], static_cast<double>(0.9L * before_variance[j] + 0.1L * m.variance),
                        16 * unit);
            for (size_t i = 0; i < rows; ++i) {
              const long double normal = (x[i * cols + j] - m.mean) / std::sqrt(m.variance + T(1e-3));
              const long double exact = affine ? normal * c.scale[j] + c.shift[j] : normal;
              // One row: what rounding leaves of x - mean is divided by sqrt(epsilon).
              ASSERT_NEAR(y[i * cols + j], static_cast<double>(exact), 200 * unit);
            }
          }
          c.expect_padding_kept();
        }
      }
    }
  });
}

TYPED_TEST(NormLayerTest, BatchNormOfHugeOffsetsAndConstants) {
  using T = TypeParam;
  const size_t rows = 64, cols = 3;
  const double offset = sizeof(T) == 4 ? 1e5 : 1e9;
  test::for_each_target([&] {
    BatchNormCase<T> c(cols);
    const auto layer = c.layer();
    auto x = harness_values<T>(rows * cols, -4, 4);
    for (size_t i = 0; i < rows; ++i) {
      x[i * cols] = static_cast<T>(x[i * cols] + offset);
      x[i * cols + 1] = static_cast<T>(offset / 3);
    }
    const auto before = c.variance.values();
    LayerRun<T> run(layer, rows, {1, cols});
    const auto y = run.forward(x);
    const Moments m = column_moments(x, rows, cols, 0);
    EXPECT_NEAR((c.variance[0] - 0.9 * before[0]) / 0.1, static_cast<double>(m.variance), 1e-5);
    EXPECT_NEAR((c.variance[1] - T(0.9) * before[1]) / 0.1, 0, 1e-6);
    for (size_t i = 0; i < rows; ++i) {
      const double half_ulp = offset * std::numeric_limits<T>::epsilon();  // of the mean, in deviations
      const long double normal = (x[i * cols] - m.mean) / std::sqrt(m.variance + T(1e-3));
      EXPECT_NEAR(y[i * cols], static_cast<double>(normal * c.scale[0] + c.shift[0]), half_ulp + 1e-5);
      EXPECT_EQ(y[i * cols + 1], c.shift[1]);
    }
    for (const T g : run.backward(harness_values<T>(rows * cols, -1, 1, 9))) EXPECT_TRUE(std::isfinite(g));
  });
}

TYPED_TEST(NormLayerTest, BatchNormLeavesTheAveragesOfColumnsThatAreNotFinite) {
  using T = TypeParam;
  BatchNormCase<T> c(2);
  const T before = c.mean[0];
  const auto layer = c.layer();
  const auto y = LayerRun<T>(layer, 2, {1, 2}).forward({std::numeric_limits<T>::quiet_NaN(), 1, 2, 3});
  EXPECT_TRUE(std::isnan(y[0]) && std::isnan(y[2]));
  EXPECT_TRUE(std::isfinite(y[1]));
  EXPECT_EQ(c.mean[0], before);
  EXPECT_NEAR(c.mean[1], 0.9 * harness_values<T>(2, -1, 1, 3)[1] + 0.2, 1e-6);
}

TEST(NormLayer, BatchNormByCentralDifferences) {
  for (const size_t rows : {1, 2, 9}) {
    for (const size_t cols : {1, 5, 17}) {
      for (const bool affine : {false, true}) {
        BatchNormCase<double> c(cols);
        const auto layer = c.layer(affine);
        auto x = harness_values<double>(rows * cols, -2, 2);
        const auto dy = harness_values<double>(rows * cols, -1, 1, 7);
        LayerRun<double> run(layer, rows, {1, cols});
        const std::function<std::vector<double>()> forward = [&] { return run.forward(x); };
        forward();
        const auto dx = run.backward(dy);
        for (size_t i = 0; i < x.size(); ++i) {
          ASSERT_NEAR(dx[i], test::central_difference(x[i], dy, forward), 1e-7);
        }
        if (!affine) continue;
        for (size_t j = 0; j < cols; ++j) {
          ASSERT_NEAR(c.scale.gradients()[j], test::central_difference(c.scale[j], dy, forward), 1e-7);
          ASSERT_NEAR(c.shift.gradients()[j], test::central_difference(c.shift[j], dy, forward), 1e-7);
        }
        c.expect_padding_kept();
      }
    }
  }
}

TYPED_TEST(NormLayerTest, GradientsAddUpAndAreLeftOutWhereNotWanted) {
  using T = TypeParam;
  const size_t rows = 5, cols = 19;
  const auto x = harness_values<T>(rows * cols, -2, 2), dy = harness_values<T>(rows * cols, -1, 1, 7);
  TestParameter<T> scale(harness_values<T>(cols, 0.5, 2, 1)), shift(harness_values<T>(cols, -1, 1, 2));
  TestParameter<T> mean(harness_values<T>(cols, -1, 1)), variance(harness_values<T>(cols, 1, 2));
  const auto check = [&](const Layer<T>& layer, const Layer<T>& frozen) {
    LayerRun<T> run(layer, rows, {1, cols}), frozen_run(frozen, rows, {1, cols});
    run.forward(x);
    const auto dx = run.backward(dy);
    const auto by_scale = scale.gradients(), by_shift = shift.gradients();
    EXPECT_TRUE(run.backward(dy, true, false).empty());
    for (size_t j = 0; j < cols; ++j) {
      EXPECT_EQ(scale.gradients()[j], by_scale[j] + by_scale[j]);
      EXPECT_EQ(shift.gradients()[j], by_shift[j] + by_shift[j]);
    }
    const auto before = scale.gradients();
    frozen_run.forward(x);
    EXPECT_EQ(frozen_run.backward(dy), dx);
    EXPECT_EQ(scale.gradients(), before);
  };
  const auto batch = [&](Parameter<T> a, Parameter<T> b) {
    return BatchNormLayer<T>(cols, {a, b, mean.frozen(), variance.frozen()}, T(1e-3), T(0.9));
  };
  check(batch(scale.get(), shift.get()), batch(scale.frozen(), shift.frozen()));
  check(LayerNormLayer<T>(cols, scale.get(), shift.get(), T(1e-3)),
        LayerNormLayer<T>(cols, scale.frozen(), shift.frozen(), T(1e-3)));
}

TYPED_TEST(NormLayerTest, LayerNormIsTheProgramsAndGarbageStaysOut) {
  using T = TypeParam;
  test::for_each_target([&] {
    for (const size_t rows : {1, 6}) {
      for (const size_t cols : {1, 2, 16, 17, 33, 130}) {
        TestParameter<T> scale(harness_values<T>(cols, 0.5, 2, 1)), shift(harness_values<T>(cols, -1, 1, 2));
        const auto x = harness_values<T>(rows * cols, -3, 5);
        const LayerNormLayer<T> layer(cols, scale.get(), shift.get(), T(1e-3));
        LayerRun<T> run(layer, rows, {1, cols});
        std::vector<T> expected(rows * cols);
        find_norms<T>().layer(x.data(), rows, cols, scale.values().data(), shift.values().data(), T(1e-3),
                              expected.data());
        EXPECT_EQ(run.forward(x), expected);
        for (const T g : run.backward(harness_values<T>(rows * cols, -1, 1, 5)))
          EXPECT_TRUE(std::isfinite(g));
        for (const T g : scale.gradients()) EXPECT_TRUE(std::isfinite(g));
        scale.expect_padding_kept();
        shift.expect_padding_kept();
      }
    }
  });
}

TEST(NormLayer, LayerNormByCentralDifferences) {
  for (const size_t rows : {1, 4}) {
    for (const size_t cols : {1, 2, 9, 70}) {
      for (const bool affine : {false, true}) {
        TestParameter<double> scale(harness_values<double>(cols, 0.5, 2, 1));
        TestParameter<double> shift(harness_values<double>(cols, -1, 1, 2));
        const LayerNormLayer<double> layer(cols, affine ? scale.get() : Parameter<double>(),
                                           affine ? shift.get() : Parameter<double>(), 1e-3);
        auto x = harness_values<double>(rows * cols, -2, 2);
        const auto dy = harness_values<double>(rows * cols, -1, 1, 7);
        LayerRun<double> run(layer, rows, {1, cols});
        const std::function<std::vector<double>()> forward = [&] { return run.forward(x); };
        forward();
        const auto dx = run.backward(dy);
        for (size_t i = 0; i < x.size(); ++i) {
          ASSERT_NEAR(dx[i], test::central_difference(x[i], dy, forward), 1e-7);
        }
        for (size_t j = 0; affine && j < cols; ++j) {
          ASSERT_NEAR(scale.gradients()[j], test::central_difference(scale[j], dy, forward), 1e-7);
          ASSERT_NEAR(shift.gradients()[j], test::central_difference(shift[j], dy, forward), 1e-7);
        }
      }
    }
  }
}

TYPED_TEST(NormLayerTest, FeatureScaleBothWays) {
  using T = TypeParam;
  test::for_each_target([&] {
    for (const size_t cols : {1, 5, 16, 35}) {
      for (const ScaleBy by : {ScaleBy::kMultiply, ScaleBy::kDivide}) {
        const auto offset = harness_values<T>(cols, -1, 1), scale = harness_values<T>(cols, 0.5, 2, 1);
        const FeatureScaleLayer<T> layer({offset.data(), scale.data(), by});
        const auto x = harness_values<T>(3 * cols, -2, 2), dy = harness_values<T>(3 * cols, -1, 1, 7);
        LayerRun<T> run(layer, 3, {1, cols});
        const auto y = run.forward(x), dx = run.backward(dy);
        for (size_t i = 0; i < x.size(); ++i) {
          const T s = scale[i % cols], shifted = x[i] - offset[i % cols];
          ASSERT_EQ(y[i], by == ScaleBy::kDivide ? shifted / s : shifted * s);
          ASSERT_EQ(dx[i], by == ScaleBy::kDivide ? dy[i] / s : dy[i] * s);
        }
      }
    }
  });
}

// Everything a step of both normalisations leaves behind, at a size that is cut into tasks.
template <class T>
std::vector<T> norm_results() {
  const size_t rows = 700, cols = 401;
  const auto x = harness_values<T>(rows * cols, -2, 2), dy = harness_values<T>(rows * cols, -1, 1, 7);
  BatchNormCase<T> c(cols);
  const LayerNormLayer<T> layer_norm(cols, c.scale.get(), c.shift.get(), T(1e-3));
  const BatchNormLayer<T> batch_norm = c.layer();
  std::vector<T> all;
  for (const Layer<T>* layer : std::initializer_list<const Layer<T>*>{&batch_norm, &layer_norm}) {
    LayerRun<T> run(*layer, rows, {1, cols});
    for (const auto& part :
         {run.forward(x), run.backward(dy), c.scale.gradients(), c.shift.gradients(), c.mean.values()}) {
      all.insert(all.end(), part.begin(), part.end());
    }
  }
  return all;
}

TYPED_TEST(NormLayerTest, BitsOnAnyThreadsAndTargets) {
  using T = TypeParam;
  const auto one = norm_results<T>();
  for (const int threads : {1, 2, 4}) {
    set_num_threads(threads);
    EXPECT_TRUE(norm_results<T>() == one);
  }
  set_num_threads(2);
  test::expect_same_bits_on_fma_targets(norm_results<T>);
}

}  // namespace
}  // namespace maas
