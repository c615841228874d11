#include "maas/kernels/linear_pass.h"

#include <gtest/gtest.h>

#include <cmath>
#include <vector>

#include "maas/kernels/panel.h"
#include "targets.h"

namespace maas {
namespace {

template <class T>
class LinearPass : public testing::Test {};
using Types = testing::Types<float, double>;
TYPED_TEST_SUITE(LinearPass, Types);

template <class T>
std::vector<T> values(size_t count, double phase) {
  std::vector<T> out(count);
  for (size_t i = 0; i < count; ++i) out[i] = static_cast<T>(std::sin(phase + 0.37 * static_cast<double>(i)));
  return out;
}

// One element off the vector boundary, ending at an unreadable page.
template <class T>
struct Panel {
  Panel(size_t ld, size_t cols, double phase) : buffer(ld * cols) {
    const auto v = values<T>(ld * cols, phase);
    std::copy(v.begin(), v.end(), buffer.data());
  }
  test::GuardedBuffer<T> buffer;
};

TYPED_TEST(LinearPass, MarginsMatchLongDouble) {
  using T = TypeParam;
  const double unit = sizeof(T) == 4 ? 6e-8 : 1.2e-16;
  for (const size_t ld : {16, 32, 48, 144, 272}) {
    for (const size_t cols : {1, 2, 7, 21}) {
      for (const size_t outputs : {1, 2, 3, 4, 7, 10}) {
        const Panel<T> panel(ld, cols, 0.1);
        const auto w = values<T>(cols * outputs, 0.5);
        test::expect_same_bits_on_fma_targets([&] {
          std::vector<T> z(outputs * ld);
          panel_margins(panel.buffer.data(), ld, cols, w.data(), outputs, z.data());
          return z;
        });
        test::for_each_target([&] {
          std::vector<T> z(outputs * ld);
          panel_margins(panel.buffer.data(), ld, cols, w.data(), outputs, z.data());
          for (size_t o = 0; o < outputs; ++o) {
            for (size_t i = 0; i < ld; ++i) {
              long double truth = 0, size = 0;
              for (size_t k = 0; k < cols; ++k) {
                const long double term =
                    static_cast<long double>(panel.buffer.data()[k * ld + i]) * w[o * cols + k];
                truth += term;
                size += std::fabs(term);
              }
              ASSERT_NEAR(z[o * ld + i], static_cast<double>(truth),
                          2 * static_cast<double>(cols) * unit * static_cast<double>(size));
            }
          }
        });
      }
    }
  }
}

TYPED_TEST(LinearPass, ProductsMatchLongDoubleAndAdd) {
  using T = TypeParam;
  const double unit = sizeof(T) == 4 ? 6e-8 : 1.2e-16;
  for (const size_t ld : {16, 32, 48, 256}) {
    for (const size_t a_cols : {1, 2, 3, 4, 7, 10}) {
      for (const size_t b_cols : {1, 2, 5, 8, 21}) {
        const Panel<T> a(ld, a_cols, 0.1), b(ld, b_cols, 0.9);
        const auto run = [&] {
          std::vector<double> sums(a_cols * b_cols, 1.0);
          panel_products(a.buffer.data(), a_cols, b.buffer.data(), b_cols, ld, sums.data());
          return sums;
        };
        test::expect_same_bits_on_fma_targets(run);
        test::for_each_target([&] {
          const auto sums = run();
          for (size_t p = 0; p < a_cols; ++p) {
            for (size_t q = 0; q < b_cols; ++q) {
              long double truth = 1;
              for (size_t i = 0; i < ld; ++i) {
                truth += static_cast<long double>(a.buffer.data()[p * ld + i]) * b.buffer.data()[q * ld + i];
              }
              ASSERT_NEAR(sums[p * b_cols + q], static_cast<double>(truth),
                          4 * unit * static_cast<double>(ld));
            }
          }
        });
      }
    }
  }
}

}  // namespace
}  // namespace maas
