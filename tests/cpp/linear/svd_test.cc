#include "maas/linear/svd.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "maas/kernels/target.h"
#include "maas/linear/triangular_factor.h"

namespace maas {
namespace {

// Graded columns: scales from 1 down to 1e-12, the last two equal (rank n - 1) when `deficient`.
std::vector<double> matrix(size_t n, bool deficient) {
  std::vector<double> a(n * n);
  for (size_t i = 0; i < n; ++i) {
    for (size_t j = 0; j < n; ++j) {
      a[i * n + j] = std::sin(static_cast<double>(1 + i * n + 7 * j * j)) * std::pow(10.0, -12.0 * j / n);
    }
    if (deficient && n > 1) a[i * n + n - 1] = a[i * n + n - 2];
  }
  return a;
}

TEST(Svd, FactorsAreOrthogonalAndRebuildTheMatrix) {
  for (const size_t n : {1, 2, 3, 7, 8, 9, 20, 33}) {
    for (const bool deficient : {false, true}) {
      const auto a = matrix(n, deficient);
      const Svd f = svd(a.data(), n);
      for (size_t i = 0; i < n; ++i) {
        if (i > 0) {
          EXPECT_GE(f.singular[i - 1], f.singular[i]);
        }
        for (size_t j = 0; j < n; ++j) {
          long double built = 0, vv = 0, uu = 0;
          for (size_t k = 0; k < n; ++k) {
            built += static_cast<long double>(f.u[k * n + i]) * f.singular[k] * f.v[k * n + j];
            vv += static_cast<long double>(f.v[i * n + k]) * f.v[j * n + k];
            uu += static_cast<long double>(f.u[i * n + k]) * f.u[j * n + k];
          }
          // Column by column: each keeps its own scale (the copied column has its original's).
          const size_t scale = deficient && n > 1 ? std::min(j, n - 2) : j;
          EXPECT_NEAR(static_cast<double>(built), a[i * n + j],
                      1e-14 * n * std::pow(10.0, -12.0 * scale / n));
          EXPECT_NEAR(static_cast<double>(vv), i == j, 1e-14 * n);
          if (f.singular[i] > 1e-13 && f.singular[j] > 1e-13) {
            EXPECT_NEAR(static_cast<double>(uu), i == j, 1e-13 * n);
          }
        }
      }
      if (deficient && n > 1) {
        EXPECT_LE(f.singular[n - 1], 1e-15 * f.singular[0]);
      }
    }
  }
}

TEST(Svd, SameBitsOnEveryTarget) {
  const auto a = matrix(20, false);
  const Svd first = svd(a.data(), 20);
  for (const auto& target : supported_targets()) {
    set_target(target);
    if (!target_has_fma()) continue;
    const Svd again = svd(a.data(), 20);
    EXPECT_EQ(again.singular, first.singular) << target;
    EXPECT_EQ(again.v, first.v) << target;
  }
  set_target("");
}

TEST(TriangularFactor, BlocksGiveTheFactorOfAllRows) {
  for (const size_t p : {1, 2, 5, 8, 13}) {
    for (const size_t blocks : {1, 3}) {
      constexpr size_t kRows = 24;
      TriangularFactor left(p), right(p);
      std::vector<long double> gram(p * p, 0);
      for (size_t b = 0; b < 2 * blocks; ++b) {
        AlignedBuffer<double> block(p * kRows);
        for (size_t k = 0; k < p * kRows; ++k) block[k] = std::cos(static_cast<double>(3 * k + 31 * b));
        for (size_t i = 0; i < p; ++i) {
          for (size_t j = 0; j < p; ++j) {
            for (size_t r = 0; r < kRows; ++r) {
              gram[i * p + j] += static_cast<long double>(block[i * kRows + r]) * block[j * kRows + r];
            }
          }
        }
        (b < blocks ? left : right).absorb(block.data(), kRows, kRows);
      }
      left.absorb(right);
      for (size_t i = 0; i < p; ++i) {
        for (size_t j = 0; j < p; ++j) {
          long double product = 0;
          for (size_t k = 0; k < p; ++k) product += static_cast<long double>(left(k, i)) * left(k, j);
          EXPECT_NEAR(static_cast<double>(product - gram[i * p + j]), 0.0, 1e-13 * kRows * blocks);
          if (j < i) {
            EXPECT_EQ(left(i, j), 0.0);
          }
        }
      }
    }
  }
}

}  // namespace
}  // namespace maas
