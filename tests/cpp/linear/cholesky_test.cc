#include "maas/linear/cholesky.h"

#include <gtest/gtest.h>

#include <limits>
#include <vector>

#include "kernels/matrix_cases.h"
#include "maas/base/thread_pool.h"
#include "maas/kernels/gemm.h"

namespace maas {
namespace {

using test::Matrix;

// G·Gᵀ / n + I: positive definite, condition number of a few.
std::vector<double> positive_definite(size_t n, size_t ld) {
  const Matrix<double> g(n, n, 11);
  std::vector<double> a(n * ld, std::numeric_limits<double>::quiet_NaN());
  for (size_t i = 0; i < n; ++i) {
    for (size_t j = i; j < n; ++j) {
      double sum = i == j ? 1 : 0;
      for (size_t k = 0; k < n; ++k) sum += g.view()(i, k) * g.view()(j, k) / static_cast<double>(n);
      a[i * ld + j] = sum;
    }
  }
  return a;
}

double upper(const std::vector<double>& a, size_t ld, size_t i, size_t j) {
  return i <= j ? a[i * ld + j] : a[j * ld + i];
}

const size_t kSizes[] = {1, 2, 5, 31, 32, 33, 63, 64, 65, 100, 129, 200};

TEST(Cholesky, FactorTimesItselfIsTheMatrix) {
  test::on_every_target([](const std::string& target) {
    for (const size_t n : kSizes) {
      const size_t ld = n + 3;
      const auto a = positive_definite(n, ld);
      auto u = a;
      ASSERT_EQ(cholesky(u.data(), n, ld), n);
      for (size_t i = 0; i < n; ++i) {
        for (size_t j = i; j < n; ++j) {
          long double sum = 0;
          for (size_t k = 0; k <= i; ++k) sum += static_cast<long double>(u[k * ld + i]) * u[k * ld + j];
          ASSERT_NEAR(static_cast<double>(sum), a[i * ld + j], 1e-14 * static_cast<double>(n)) << target << n;
        }
      }
    }
  });
}

TEST(Cholesky, NamesTheFirstBadPivot) {
  for (const size_t n : {3, 40, 150}) {
    for (const size_t bad : {size_t{0}, n / 2, n - 1}) {
      for (const double value : {-1.0, 0.0, std::numeric_limits<double>::quiet_NaN()}) {
        std::vector<double> a(n * n, 0.0);
        for (size_t i = 0; i < n; ++i) a[i * n + i] = i == bad ? value : 2.0;
        EXPECT_EQ(cholesky(a.data(), n, n), bad);
      }
    }
  }
  EXPECT_EQ(cholesky(nullptr, 0, 0), 0u);
}

TEST(Cholesky, SolvesManyRightHandSides) {
  for (const size_t n : kSizes) {
    const auto a = positive_definite(n, n);
    auto u = a;
    ASSERT_EQ(cholesky(u.data(), n, n), n);
    for (const size_t cols : {1, 2, 33, 600}) {
      const Matrix<double> x(n, cols, 5);
      std::vector<double> b(n * cols, 0.0);
      for (size_t i = 0; i < n; ++i) {
        for (size_t k = 0; k < n; ++k) {
          for (size_t j = 0; j < cols; ++j) b[i * cols + j] += upper(a, n, i, k) * x.view()(k, j);
        }
      }
      cholesky_solve(u.data(), n, n, b.data(), cols, cols);
      for (size_t i = 0; i < n * cols; ++i) ASSERT_NEAR(b[i], x.view().data[i], 1e-12);
    }
  }
}

TEST(Cholesky, BitsDoNotDependOnThreadsOrTarget) {
  constexpr size_t kRows = 700;
  const auto a = positive_definite(kRows, kRows);
  auto want = a;
  ASSERT_EQ(cholesky(want.data(), kRows, kRows), kRows);
  test::on_every_target([&](const std::string& target) {
    if (!target_has_fma()) return;
    for (const int threads : {1, 2, 4}) {
      set_num_threads(threads);
      auto u = a;
      cholesky(u.data(), kRows, kRows);
      for (size_t i = 0; i < kRows; ++i) {
        for (size_t j = i; j < kRows; ++j) ASSERT_EQ(u[i * kRows + j], want[i * kRows + j]) << target;
      }
    }
  });
  set_num_threads(2);
}

TEST(Cholesky, ConditionEstimateIsClose) {
  for (const size_t n : {1, 10, 50, 120}) {
    for (const double spread : {1.0, 1e-3, 1e-8}) {
      auto a = positive_definite(n, n);
      for (size_t i = 0; i < n; ++i) {
        for (size_t j = i; j < n; ++j) a[i * n + j] *= (i == 0 ? spread : 1.0) * (j == 0 ? spread : 1.0);
      }
      const double norm = symmetric_norm1(a.data(), n, n);
      ASSERT_EQ(cholesky(a.data(), n, n), n);
      std::vector<double> inverse(n * n, 0.0);
      for (size_t i = 0; i < n; ++i) inverse[i * n + i] = 1;
      cholesky_solve(a.data(), n, n, inverse.data(), n, n);
      double inverse_norm = 0;
      for (size_t j = 0; j < n; ++j) {
        double sum = 0;
        for (size_t i = 0; i < n; ++i) sum += std::abs(inverse[i * n + j]);
        inverse_norm = std::max(inverse_norm, sum);
      }
      const double truth = 1 / (norm * inverse_norm);
      const double estimate = cholesky_rcond(a.data(), n, n, norm);
      EXPECT_GE(estimate, truth * (1 - 1e-6));
      EXPECT_LE(estimate, truth * 3);
    }
  }
}

TEST(Cholesky, ConditionOfANonFiniteNormIsZero) {
  const double u[] = {1.0};
  EXPECT_EQ(cholesky_rcond(u, 1, 1, std::numeric_limits<double>::infinity()), 0);
  EXPECT_EQ(cholesky_rcond(u, 1, 1, std::numeric_limits<double>::quiet_NaN()), 0);
}

}  // namespace
}  // namespace maas
