#include "maas/kernels/count_dots.h"

#include <gtest/gtest.h>

#include <cmath>
#include <vector>

#include "targets.h"

namespace maas {
namespace {

TEST(CountDots, MatchLongDoubleAtEveryLengthAndWidth) {
  test::for_each_target([&] {
    for (size_t n = 0; n <= 70; ++n) {
      for (size_t width = 1; width <= 9; ++width) {
        test::GuardedBuffer<uint32_t> counts(n);
        std::vector<std::vector<double>> values(width);
        std::vector<const double*> columns;
        for (size_t i = 0; i < n; ++i) counts[i] = static_cast<uint32_t>(i * 7 % 5);
        for (size_t c = 0; c < width; ++c) {
          for (size_t i = 0; i < n + 3; ++i) values[c].push_back(std::sin(static_cast<double>(i + 100 * c)));
          columns.push_back(values[c].data());
        }
        std::vector<double> sums(width, 0.5);
        count_dots(counts.data(), columns.data(), width, 3, n, sums.data());
        for (size_t c = 0; c < width; ++c) {
          long double exact = 0.5L;
          for (size_t i = 0; i < n; ++i) exact += static_cast<long double>(counts[i]) * values[c][i + 3];
          ASSERT_NEAR(sums[c], static_cast<double>(exact), 1e-13) << n << " " << width;
        }
      }
    }
  });
}

TEST(CountDots, SameBitsWhereverThereIsFma) {
  test::expect_same_bits_on_fma_targets([&] {
    std::vector<uint32_t> counts(1003);
    std::vector<double> a(1003), sums(2);
    for (size_t i = 0; i < a.size(); ++i) {
      counts[i] = static_cast<uint32_t>(i % 4);
      a[i] = std::cos(static_cast<double>(i));
    }
    const double* columns[] = {a.data(), a.data()};
    count_dots(counts.data(), columns, 2, 0, a.size(), sums.data());
    return sums;
  });
}

}  // namespace
}  // namespace maas
