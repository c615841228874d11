#include "maas/base/shards.h"

#include <gtest/gtest.h>

#include <vector>

namespace maas {
namespace {

TEST(Shards, CoverEachRowOnceInWholeBlocks) {
  for (const size_t rows : {0, 1, 255, 256, 257, 5000, 16384, 16385, 1000000}) {
    for (const size_t block : {1, 96, 256}) {
      const Shards shards = make_shards(rows, block);
      EXPECT_LE(shards.count(), 64u);
      EXPECT_EQ(shards.shard_rows % block, 0u);
      size_t next = 0;
      for (size_t i = 0; i < shards.count(); ++i) {
        EXPECT_EQ(shards.begin(i), next);
        EXPECT_LT(shards.begin(i), shards.end(i));
        next = shards.end(i);
      }
      EXPECT_EQ(next, rows);
    }
  }
}

TEST(Shards, TreeAddsInItsFixedOrder) {
  // 1e16 + 1 rounds to 1e16, so the result tells the order.
  std::vector<double> four{1e16, 1, -1e16, 3};
  combine_tree(four.data(), 4, 1);
  EXPECT_EQ(four[0], (1e16 + 1.0) + (-1e16 + 3.0));
  EXPECT_NE(four[0], ((1e16 + 1.0) - 1e16) + 3.0);
}

TEST(Shards, TreeAddsEveryAccumulatorElementwise) {
  for (size_t count = 0; count <= 65; ++count) {
    std::vector<double> sums(count * 3);
    for (size_t i = 0; i < sums.size(); ++i) sums[i] = static_cast<double>(i);
    combine_tree(sums.data(), count, 3);
    for (size_t k = 0; k < 3 && count > 0; ++k) {
      double expected = 0;
      for (size_t i = 0; i < count; ++i) expected += static_cast<double>(3 * i + k);
      EXPECT_EQ(sums[k], expected);
    }
  }
}

}  // namespace
}  // namespace maas
