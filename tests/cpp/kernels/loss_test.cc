#include "maas/kernels/loss.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <vector>

#include "targets.h"

namespace maas {
namespace {

template <class T>
class LossRows : public testing::Test {};
using Types = testing::Types<float, double>;
TYPED_TEST_SUITE(LossRows, Types);

struct Terms {
  long double value, residual, curvature;
};

Terms reference(Loss loss, long double z, long double y) {
  if (loss == Loss::kSquared) return {(z - y) * (z - y) / 2, z - y, 1};
  if (loss == Loss::kPoisson) return {std::exp(z) - y * z, std::exp(z) - y, std::exp(z)};
  const long double sign = 2 * y - 1, m = sign * z;
  if (loss == Loss::kSquaredHinge) {
    const long double miss = std::fmax(1 - m, 0.0L);
    return {miss * miss, -2 * sign * miss, miss > 0 ? 2.0L : 0.0L};
  }
  const long double e = std::exp(-std::fabs(m));
  const long double miss = (m < 0 ? 1 : e) / (1 + e);
  return {std::fmax(-m, 0.0L) + std::log1p(e), -sign * miss, e / ((1 + e) * (1 + e))};
}

// Margins from tiny to ±1000, where float overflows in e^z and every loss must not.
template <class T>
std::vector<T> margins(size_t n) {
  const double magnitudes[] = {0, 1e-30, 1e-6, 0.3, 1, 5, 17, 40, 90, 400, 1000};
  std::vector<T> z(n);
  for (size_t i = 0; i < n; ++i) {
    z[i] = static_cast<T>(magnitudes[i % 11] * (1 + 0.01 * static_cast<double>(i)) * (i % 2 ? -1 : 1));
  }
  return z;
}

TYPED_TEST(LossRows, RowTermsMatchLongDoubleOnEveryTarget) {
  using T = TypeParam;
  for (const Loss loss : {Loss::kSquared, Loss::kLogistic, Loss::kSquaredHinge}) {
    for (const size_t n : {16, 32, 48, 112}) {
      for (const bool weighted : {false, true}) {
        test::GuardedBuffer<T> z(n), y(n), w(n), residual(n), curvature(n);
        const auto m = margins<T>(n);
        for (size_t i = 0; i < n; ++i) {
          z.data()[i] = m[i];
          y.data()[i] = static_cast<T>(i / 2 % 2);
          w.data()[i] = weighted ? static_cast<T>(i % 5) : T(1);
        }
        test::for_each_target([&] {
          const double sum = loss_rows(loss, z.data(), y.data(), weighted ? w.data() : nullptr, n,
                                       residual.data(), curvature.data());
          long double truth = 0;
          for (size_t i = 0; i < n; ++i) {
            const Terms t = reference(loss, z.data()[i], y.data()[i]);
            const long double s = w.data()[i];
            truth += s * t.value;
            ASSERT_LT(test::ulp_error<T>(residual.data()[i], s * t.residual), 8) << i << " " << m[i];
            ASSERT_LT(test::ulp_error<T>(curvature.data()[i], s * t.curvature), 8) << i << " " << m[i];
          }
          ASSERT_NEAR(sum / static_cast<double>(truth), 1, sizeof(T) == 4 ? 1e-6 : 2e-15);
        });
        test::expect_same_bits_on_fma_targets([&] {
          const double sum = loss_rows(loss, z.data(), y.data(), weighted ? w.data() : nullptr, n,
                                       residual.data(), curvature.data());
          std::vector<double> out{sum};
          for (size_t i = 0; i < n; ++i) {
            out.push_back(residual.data()[i]);
            out.push_back(curvature.data()[i]);
          }
          return out;
        });
      }
    }
  }
}

// Where e^z and y nearly cancel, the residual keeps the absolute accuracy of the larger one.
TYPED_TEST(LossRows, PoissonMatchesLongDoubleOnEveryTarget) {
  using T = TypeParam;
  const size_t n = 48;
  const T unit = std::numeric_limits<T>::epsilon();
  std::vector<T> z(n), y(n), residual(n), curvature(n);
  for (size_t i = 0; i < n; ++i) {
    z[i] = static_cast<T>((i % 2 ? -1.7 : 1.7) * static_cast<double>(i));
    y[i] = i % 3 == 0 ? T(0) : std::round(std::exp(std::fabs(z[i]) / 2));
  }
  const auto run = [&] {
    std::vector<double> out{loss_rows(Loss::kPoisson, z.data(), y.data(), static_cast<const T*>(nullptr), n,
                                      residual.data(), curvature.data())};
    out.insert(out.end(), residual.begin(), residual.end());
    out.insert(out.end(), curvature.begin(), curvature.end());
    return out;
  };
  test::expect_same_bits_on_fma_targets(run);
  test::for_each_target([&] {
    const double sum = run()[0];
    long double truth = 0, size = 0;
    for (size_t i = 0; i < n; ++i) {
      const Terms t = reference(Loss::kPoisson, z[i], y[i]);
      truth += t.value;
      size += t.curvature + std::fabs(static_cast<long double>(y[i]) * z[i]);
      ASSERT_NEAR(residual[i], t.residual, 2 * unit * (t.curvature + y[i])) << z[i] << " " << y[i];
      ASSERT_LT(test::ulp_error<T>(curvature[i], t.curvature), 2) << z[i];
    }
    ASSERT_NEAR(sum, truth, 4 * unit * size);
  });
}

TYPED_TEST(LossRows, ResidualIsTheSlopeOfTheValue) {
  for (const Loss loss : {Loss::kSquared, Loss::kLogistic, Loss::kPoisson, Loss::kSquaredHinge}) {
    for (const double at : {-2.5, -0.3, 0.4, 0.9, 1.2, 3.0}) {
      for (const double label : {0.0, 1.0}) {
        const auto terms = [&](double margin) {
          const std::vector<double> z(16, margin), y(16, label);
          std::vector<double> residual(16), curvature(16);
          const double value = loss_rows(loss, z.data(), y.data(), static_cast<const double*>(nullptr), 16,
                                         residual.data(), curvature.data());
          return std::vector<double>{value / 16, residual[0], curvature[0]};
        };
        const double h = 1e-6;
        const auto low = terms(at - h), middle = terms(at), high = terms(at + h);
        EXPECT_NEAR((high[0] - low[0]) / (2 * h), middle[1], 1e-7 * (1 + std::fabs(middle[1])));
        EXPECT_NEAR((high[1] - low[1]) / (2 * h), middle[2], 1e-7 * (1 + middle[2]));
      }
    }
  }
}

TYPED_TEST(LossRows, PoissonOverflowsToAnInfiniteValue) {
  using T = TypeParam;
  std::vector<T> z(16, T(0)), y(16, T(2)), residual(16);
  z[3] = T(800);
  test::for_each_target([&] {
    EXPECT_EQ(loss_rows(Loss::kPoisson, z.data(), y.data(), static_cast<const T*>(nullptr), 16,
                        residual.data(), static_cast<T*>(nullptr)),
              HUGE_VAL);
    EXPECT_EQ(residual[3], std::numeric_limits<T>::infinity());
  });
}

TYPED_TEST(LossRows, NaNMarginsShowInTheSum) {
  using T = TypeParam;
  for (const Loss loss : {Loss::kLogistic, Loss::kPoisson, Loss::kSquaredHinge}) {
    std::vector<T> z(16, T(0)), y(16, T(1)), residual(16);
    z[3] = std::numeric_limits<T>::quiet_NaN();
    test::for_each_target([&] {
      EXPECT_TRUE(std::isnan(loss_rows(loss, z.data(), y.data(), static_cast<const T*>(nullptr), 16,
                                       residual.data(), static_cast<T*>(nullptr))));
    });
  }
}

TYPED_TEST(LossRows, SoftmaxMatchesLongDouble) {
  using T = TypeParam;
  for (const size_t classes : {2, 3, 10}) {
    const size_t n = 48;
    const auto m = margins<T>(n * classes);
    std::vector<T> y(n), w(n);
    for (size_t i = 0; i < n; ++i) {
      y[i] = static_cast<T>(i % classes);
      w[i] = static_cast<T>(i % 4);
    }
    const auto run = [&] {
      std::vector<T> z = m, residual(n * classes);
      std::vector<double> out{softmax_rows(z.data(), n, classes, y.data(), w.data(), n, residual.data())};
      out.insert(out.end(), z.begin(), z.end());
      out.insert(out.end(), residual.begin(), residual.end());
      return out;
    };
    test::expect_same_bits_on_fma_targets(run);
    test::for_each_target([&] {
      const auto out = run();
      const double unit = sizeof(T) == 4 ? 1e-6 : 2e-15;
      long double truth = 0;
      for (size_t i = 0; i < n; ++i) {
        long double top = m[i], sum = 0;
        for (size_t k = 0; k < classes; ++k) top = std::fmax(top, static_cast<long double>(m[k * n + i]));
        for (size_t k = 0; k < classes; ++k) sum += std::exp(m[k * n + i] - top);
        const auto own = static_cast<size_t>(y[i]);
        truth += w[i] * (std::log(sum) + top - m[own * n + i]);
        for (size_t k = 0; k < classes; ++k) {
          const double p = static_cast<double>(std::exp(m[k * n + i] - top) / sum);
          ASSERT_NEAR(out[1 + k * n + i], p, unit);
          ASSERT_NEAR(out[1 + n * classes + k * n + i], static_cast<double>(w[i]) * (p - (k == own)),
                      4 * unit);
        }
      }
      ASSERT_NEAR(out[0] / static_cast<double>(truth), 1, unit);
    });
  }
}

}  // namespace
}  // namespace maas
