// Products with few output columns: the order of the sum, spelled out in scalar code, and their fast paths.
#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <vector>

#include "kernels/matrix_cases.h"
#include "maas/kernels/gemm.h"

namespace maas {
namespace {

using test::kLayouts;
using test::Layout;
using test::Matrix;
using test::on_every_target;

template <class T>
class GemvTest : public testing::Test {};
using Types = testing::Types<float, double>;
TYPED_TEST_SUITE(GemvTest, Types);

// Term k to partial k mod 64 (float32) or 32 (float64); then p meets p + half.
template <class T>
T sum_by_partials(MatrixView<T> x, size_t row, const T* w) {
  constexpr size_t kCount = 256 / sizeof(T);
  T partials[kCount] = {};
  for (size_t k = 0; k < x.cols; ++k) partials[k % kCount] = std::fma(x(row, k), w[k], partials[k % kCount]);
  for (size_t half = kCount / 2; half > 0; half /= 2) {
    for (size_t p = 0; p < half; ++p) partials[p] += partials[p + half];
  }
  return partials[0];
}

template <class T>
T sum_by_chain(MatrixView<T> a, MatrixView<T> b, size_t i, size_t j) {
  T sum = 0;
  for (size_t k = 0; k < a.cols; ++k) sum = std::fma(a(i, k), b(k, j), sum);
  return sum;
}

TYPED_TEST(GemvTest, EveryPathKeepsTheWrittenOrder) {
  using T = TypeParam;
  on_every_target([](const std::string& target) {
    if (!target_has_fma()) return;
    for (const size_t depth : {1, 2, 7, 8, 15, 16, 17, 20, 31, 33, 48, 63, 64, 65, 100, 128, 200, 511}) {
      for (const size_t rows : {1, 3, 16, 37, 64, 130}) {
        for (const Layout layout : kLayouts) {
          const Matrix<T> x(rows, depth, 1, layout), w(depth, 1, 2);
          std::vector<T> y(rows);
          gemv(x.view(), VectorView<T>{w.view().data, depth, 1}, y.data());
          for (size_t i = 0; i < rows; ++i) {
            ASSERT_EQ(y[i], sum_by_partials(x.view(), i, w.view().data))
                << target << " " << rows << "x" << depth << " layout " << static_cast<int>(layout);
          }
        }
      }
    }
  });
}

TYPED_TEST(GemvTest, FewColumnsAreAsManyVectors) {
  using T = TypeParam;
  on_every_target([](const std::string& target) {
    for (const size_t depth : {1, 20, 32, 64, 90}) {
      for (const size_t cols : {2, 3, 5, 8, 15}) {
        for (const size_t rows : {1, 2, 15, 16, 17, 70}) {
          for (const Layout layout : {Layout::kRows, Layout::kColumns}) {
            const Matrix<T> x(rows, depth, 1, layout), w(depth, cols, 2);
            std::vector<T> all(rows * cols), one(rows);
            gemm(x.view(), w.view(), all.data(), cols);
            for (size_t j = 0; j < cols; ++j) {
              gemv(x.view(), VectorView<T>{w.view().at(0, j), depth, w.view().row_stride}, one.data());
              for (size_t i = 0; i < rows; ++i)
                ASSERT_EQ(all[i * cols + j], one[i]) << target << depth << cols;
            }
          }
        }
      }
    }
  });
}

TYPED_TEST(GemvTest, ManyColumnsAreChains) {
  using T = TypeParam;
  on_every_target([](const std::string& target) {
    if (!target_has_fma()) return;
    for (const size_t depth : {1, 20, 256, 300}) {
      for (const size_t cols : {16, 33, 100}) {
        const Matrix<T> a(13, depth, 1), b(depth, cols, 2);
        std::vector<T> c(13 * cols);
        gemm(a.view(), b.view(), c.data(), cols);
        for (size_t i = 0; i < 13; ++i) {
          for (size_t j = 0; j < cols; ++j) {
            ASSERT_EQ(c[i * cols + j], sum_by_chain(a.view(), b.view(), i, j)) << target;
          }
        }
      }
    }
  });
}

TYPED_TEST(GemvTest, AccumulatesAddsBiasAndStaysInside) {
  using T = TypeParam;
  const T bias = 3;
  on_every_target([&](const std::string&) {
    for (const Layout layout : kLayouts) {
      for (const size_t rows : {1, 16, 70}) {
        const Matrix<T> x(rows, 20, 1, layout), w(20, 1, 2);
        const VectorView<T> wv{w.view().data, 20, 1};
        std::vector<T> plain(rows);
        gemv(x.view(), wv, plain.data());
        test::GuardedArray<T> y(rows);
        std::fill_n(y.data(), rows, T{5});
        gemv(x.view(), wv, y.data(), GemmOptions<T>{.accumulate = true, .bias = &bias});
        for (size_t i = 0; i < rows; ++i) EXPECT_EQ(y.data()[i], (T{5} + plain[i]) + bias);
      }
    }
  });
}

TYPED_TEST(GemvTest, AnEmptySumIsPositiveZero) {
  using T = TypeParam;
  // Products that underflow to -0, and no products at all.
  const T tiny = -std::numeric_limits<T>::denorm_min(), half = T{0.5} * std::numeric_limits<T>::epsilon();
  on_every_target([&](const std::string&) {
    for (const size_t depth : {0, 1, 40}) {
      for (const Layout layout : {Layout::kRows, Layout::kColumns}) {
        Matrix<T> x(20, depth, 1, layout);
        for (size_t i = 0; i < 20; ++i) {
          for (size_t k = 0; k < depth; ++k) x.set(i, k, tiny);
        }
        const std::vector<T> w(depth + 1, half);
        std::vector<T> y(20, T{9});
        gemv(x.view(), VectorView<T>{w.data(), depth, 1}, y.data());
        for (const T v : y) EXPECT_TRUE(v == 0 && !std::signbit(v));
      }
    }
  });
}

}  // namespace
}  // namespace maas
