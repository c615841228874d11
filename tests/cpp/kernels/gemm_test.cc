#include "maas/kernels/gemm.h"

#include <gtest/gtest.h>

#include <limits>
#include <vector>

#include "kernels/matrix_cases.h"
#include "maas/base/thread_pool.h"

namespace maas {
namespace {

using test::kLayouts;
using test::Layout;
using test::Matrix;
using test::on_every_target;

template <class T>
class GemmTest : public testing::Test {};
using Types = testing::Types<float, double>;
TYPED_TEST_SUITE(GemmTest, Types);

template <class T>
std::vector<T> product(MatrixView<T> a, MatrixView<T> b, GemmOptions<T> options = {}) {
  std::vector<T> c(a.rows * b.cols, T{7});
  gemm(a, b, c.data(), b.cols, options);
  return c;
}

template <class T>
void expect_near_reference(MatrixView<T> a, MatrixView<T> b, const std::vector<T>& c) {
  const long double epsilon = std::numeric_limits<T>::epsilon();
  for (size_t i = 0; i < a.rows; ++i) {
    for (size_t j = 0; j < b.cols; ++j) {
      const auto want = test::reference_dot(a, b, i, j);
      const long double bound = epsilon * static_cast<long double>(a.cols + 2) * want.scale;
      ASSERT_NEAR(static_cast<double>(c[i * b.cols + j]), static_cast<double>(want.value),
                  static_cast<double>(bound))
          << a.rows << "x" << a.cols << "x" << b.cols << " at " << i << ", " << j;
    }
  }
}

TYPED_TEST(GemmTest, MatchesLongDoubleAroundTileSizes) {
  using T = TypeParam;
  on_every_target([](const std::string& target) {
    SCOPED_TRACE(target);
    for (const size_t m : {1, 2, 5, 6, 7, 13}) {
      for (const size_t k : {0, 1, 2, 7, 31, 32, 33, 63, 64, 65, 130, 255, 256, 257, 513}) {
        for (const size_t n : {1, 2, 3, 7, 15, 16, 17, 31, 33, 63, 64, 65, 100, 129}) {
          const Matrix<T> a(m, k, 1), b(k, n, 2);
          expect_near_reference(a.view(), b.view(), product(a.view(), b.view()));
        }
      }
    }
  });
}

TYPED_TEST(GemmTest, LargeProductsMatch) {
  using T = TypeParam;
  for (const auto& [m, k, n] :
       {std::tuple{200, 300, 250}, std::tuple{1000, 40, 70}, std::tuple{500, 600, 3}}) {
    const Matrix<T> a(m, k, 1), b(k, n, 2);
    expect_near_reference(a.view(), b.view(), product(a.view(), b.view()));
  }
}

TYPED_TEST(GemmTest, BitsDoNotDependOnLayout) {
  using T = TypeParam;
  on_every_target([](const std::string& target) {
    for (const size_t n : {1, 3, 10, 15, 16, 20, 64, 90}) {
      for (const size_t k : {1, 20, 64, 300}) {
        for (const size_t m : {1, 9, 70}) {
          const auto want = product(Matrix<T>(m, k, 3).view(), Matrix<T>(k, n, 4).view());
          for (const Layout la : kLayouts) {
            for (const Layout lb : kLayouts) {
              const Matrix<T> a(m, k, 3, la), b(k, n, 4, lb);
              ASSERT_TRUE(test::same_bits(want, product(a.view(), b.view())))
                  << target << " " << m << "x" << k << "x" << n << " " << int(la) << int(lb);
              const PackedMatrix<T> packed(b.view());
              std::vector<T> c(m * n);
              gemm(a.view(), packed, c.data(), n);
              ASSERT_TRUE(test::same_bits(want, c)) << "packed";
            }
          }
        }
      }
    }
  });
}

TYPED_TEST(GemmTest, BitsDoNotDependOnBatchThreadsOrTarget) {
  using T = TypeParam;
  constexpr size_t kRows = 1000;
  for (const size_t n : {1, 10, 16, 70, 200}) {
    for (const size_t k : {20, 64, 300}) {
      const Matrix<T> a(kRows, k, 5), b(k, n, 6);
      const auto want = product(a.view(), b.view());
      on_every_target([&](const std::string& target) {
        if (!target_has_fma()) return;
        for (const int threads : {1, 2, 4}) {
          set_num_threads(threads);
          ASSERT_TRUE(test::same_bits(want, product(a.view(), b.view()))) << target << threads;
        }
        for (const size_t batch : {1, 2, 3, 4, 7, 8, 31, 64}) {
          const auto part = product(a.view().row_range(kRows - batch, kRows), b.view());
          ASSERT_TRUE(test::same_bits(part, {want.end() - static_cast<ptrdiff_t>(batch * n), want.end()}))
              << target << " batch " << batch << " k " << k << " n " << n;
        }
      });
    }
  }
  set_num_threads(2);
}

TYPED_TEST(GemmTest, AccumulateContinuesAndBiasComesLast) {
  using T = TypeParam;
  for (const size_t n : {3, 40}) {
    const Matrix<T> a(9, 520, 7), b(520, n, 8), bias(1, n, 9);
    // Two halves of K, one after the other, are one chain when N is wide.
    const MatrixView<T> av = a.view(), bv = b.view();
    const MatrixView<T> a1{av.data, 9, 256, av.row_stride, 1}, a2{av.at(0, 256), 9, 264, av.row_stride, 1};
    auto halves = product(a1, bv.row_range(0, 256));
    gemm(a2, bv.row_range(256, 520), halves.data(), n, GemmOptions<T>{.accumulate = true});
    const auto whole = product(av, bv);
    if (n >= kNarrowCols) {
      EXPECT_TRUE(test::same_bits(halves, whole));
    }
    expect_near_reference(av, bv, halves);
    auto with_bias = product(av, bv, GemmOptions<T>{.bias = bias.view().data});
    for (size_t i = 0; i < whole.size(); ++i) EXPECT_EQ(with_bias[i], whole[i] + bias.view()(0, i % n));
  }
}

TYPED_TEST(GemmTest, WritesOnlyItsColumnsOfC) {
  using T = TypeParam;
  for (const size_t n : {1, 5, 17, 64, 70}) {
    const Matrix<T> a(13, 30, 1), b(30, n, 2), row(1, n, 3);
    const size_t ldc = n + 3;
    std::vector<T> c(13 * ldc, T{42});
    gemm(a.view(), b.view(), c.data(), ldc);
    const auto want = product(a.view(), b.view());
    for (size_t i = 0; i < 13; ++i) {
      for (size_t j = 0; j < ldc; ++j) EXPECT_EQ(c[i * ldc + j], j < n ? want[i * n + j] : T{42});
    }
  }
}

TYPED_TEST(GemmTest, ReadsAndWritesNothingOutside) {
  using T = TypeParam;
  on_every_target([](const std::string&) {
    for (const size_t n : {1, 3, 16, 21, 64, 67}) {
      for (const size_t k : {1, 20, 65}) {
        for (const size_t m : {1, 7, 40}) {
          test::GuardedArray<T> a(m * k), b(k * n), c(m * n);
          std::fill_n(a.data(), m * k, T{1});
          std::fill_n(b.data(), k * n, T{2});
          const auto lda = static_cast<ptrdiff_t>(k), ldb = static_cast<ptrdiff_t>(n);
          const auto rows = static_cast<ptrdiff_t>(m), depth = static_cast<ptrdiff_t>(k);
          gemm(MatrixView<T>{a.data(), m, k, lda, 1}, MatrixView<T>{b.data(), k, n, ldb, 1}, c.data(), n);
          EXPECT_EQ(c.data()[m * n - 1], static_cast<T>(2 * k));
          gemm(MatrixView<T>{a.data(), m, k, 1, rows}, MatrixView<T>{b.data(), k, n, 1, depth}, c.data(), n);
          EXPECT_EQ(c.data()[m * n - 1], static_cast<T>(2 * k));
        }
      }
    }
  });
}

TYPED_TEST(GemmTest, NaNAndInfinityReachTheirOutputsOnly) {
  using T = TypeParam;
  const T inf = std::numeric_limits<T>::infinity(), nan = std::numeric_limits<T>::quiet_NaN();
  on_every_target([&](const std::string&) {
    for (const size_t n : {1, 4, 50}) {
      Matrix<T> a(9, 70, 1), b(70, n, 2);
      a.set(2, 69, nan);
      a.set(3, 1, inf);
      a.set(4, 1, inf);
      a.set(4, 2, -inf);
      for (size_t j = 0; j < n; ++j) b.set(1, j, T{1}), b.set(2, j, T{1});
      const auto c = product(a.view(), b.view());
      for (size_t j = 0; j < n; ++j) {
        EXPECT_EQ(std::memcmp(&c[2 * n + j], &nan, sizeof(T)), 0);
        EXPECT_EQ(c[3 * n + j], inf);
        EXPECT_EQ(std::memcmp(&c[4 * n + j], &nan, sizeof(T)), 0);
        EXPECT_TRUE(std::isfinite(c[5 * n + j]));
      }
    }
  });
}

TYPED_TEST(GemmTest, EmptySizes) {
  using T = TypeParam;
  const Matrix<T> bias(1, 40, 3);
  for (const size_t n : {2, 40}) {
    EXPECT_TRUE(product(Matrix<T>(0, 5, 1).view(), Matrix<T>(5, n, 2).view()).empty());
    EXPECT_TRUE(product(Matrix<T>(5, 5, 1).view(), Matrix<T>(5, 0, 2).view()).empty());
    const auto c = product(Matrix<T>(3, 0, 1).view(), Matrix<T>(0, n, 2).view(), {.bias = bias.view().data});
    for (size_t i = 0; i < c.size(); ++i) EXPECT_EQ(c[i], bias.view()(0, i % n));
  }
}

TYPED_TEST(GemmTest, UpdateOfTheUpperTriangle) {
  using T = TypeParam;
  on_every_target([](const std::string&) {
    for (const size_t n : {5, 100, 600}) {
      const Matrix<T> a(n, 40, 1), c0(n, n, 2);
      for (const Sign sign : {Sign::kPlus, Sign::kMinus}) {
        std::vector<T> all(c0.view().data, c0.view().data + n * n), upper = all;
        gemm_update(a.view(), a.view().transposed(), all.data(), n, sign, Part::kAll);
        gemm_update(a.view(), a.view().transposed(), upper.data(), n, sign, Part::kUpper);
        for (size_t i = 0; i < n; ++i) {
          for (size_t j = i; j < n; ++j) ASSERT_EQ(all[i * n + j], upper[i * n + j]);
        }
        const auto want = test::reference_dot(a.view(), a.view().transposed(), 1, n - 1);
        const long double term = sign == Sign::kPlus ? want.value : -want.value;
        EXPECT_NEAR(all[2 * n - 1], static_cast<double>(c0.view()(1, n - 1) + term), 1e-5);
      }
    }
  });
}

}  // namespace
}  // namespace maas
