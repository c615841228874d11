#include "maas/linear/row_order.h"

#include <gtest/gtest.h>

#include <cmath>
#include <numeric>
#include <vector>

namespace maas {
namespace {

std::vector<uint32_t> order_of(size_t rows, size_t cols, uint64_t seed, uint64_t epoch) {
  std::vector<uint32_t> order(rows, 0);
  shuffle_rows(rows, cols, seed, epoch, order.data());
  return order;
}

TEST(RowOrder, TakesEachRowOnce) {
  for (const size_t cols : {1, 20, 200, 1000}) {
    for (const size_t rows : {1, 2, 100, 13107, 13108, 300001}) {
      std::vector<bool> seen(rows, false);
      for (const uint32_t row : order_of(rows, cols, 5, 2)) {
        ASSERT_LT(row, rows);
        ASSERT_FALSE(seen[row]);
        seen[row] = true;
      }
    }
  }
}

TEST(RowOrder, DependsOnSeedAndEpoch) {
  for (const size_t rows : {1000, 200000}) {
    EXPECT_EQ(order_of(rows, 20, 1, 0), order_of(rows, 20, 1, 0));
    EXPECT_NE(order_of(rows, 20, 1, 0), order_of(rows, 20, 1, 1));
    EXPECT_NE(order_of(rows, 20, 1, 0), order_of(rows, 20, 2, 0));
  }
}

// Sorted labels must not show: any 500 rows in turn come from all over the data, and neighbours are
// strangers.
TEST(RowOrder, MixesSortedRows) {
  const size_t rows = 400000;
  const auto order = order_of(rows, 20, 3, 0);
  for (size_t begin = 0; begin + 500 <= rows; begin += 500) {
    double sum = 0;
    for (size_t i = begin; i < begin + 500; ++i) sum += order[i] / static_cast<double>(rows);
    // A mean of at least 64 uniform places: six standard deviations.
    EXPECT_NEAR(sum / 500, 0.5, 6 * std::sqrt(1.0 / 12 / 64));
  }
  size_t near = 0;
  for (size_t i = 1; i < rows; ++i)
    near += std::abs(static_cast<double>(order[i]) - static_cast<double>(order[i - 1])) < 16 ? 1 : 0;
  EXPECT_LT(near, rows / 1000);
}

}  // namespace
}  // namespace maas
