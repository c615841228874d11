#include "maas/serve/buffer_pool.h"

#include <gtest/gtest.h>

#include <utility>

namespace maas::serve {
namespace {

TEST(BufferPool, GivesTheSmallestThatFitsAndIsNotMuchLarger) {
  BufferPool pool;
  Buffer wide = pool.take(1000), narrow = pool.take(600);
  const char *const wide_at = wide.bytes.get(), *const narrow_at = narrow.bytes.get();
  pool.give(std::move(wide));
  pool.give(std::move(narrow));
  EXPECT_EQ(pool.bytes(), 1600U);
  EXPECT_EQ(pool.take(550).bytes.get(), narrow_at);  // and it is gone with that
  EXPECT_EQ(pool.bytes(), 1000U);
  EXPECT_EQ(pool.take(100).size, 100U);
  EXPECT_EQ(pool.take(1001).size, 1001U);
  const Buffer again = pool.take(1000);
  EXPECT_EQ(again.bytes.get(), wide_at);
  EXPECT_EQ(again.size, 1000U);
  EXPECT_EQ(pool.bytes(), 0U);
}

TEST(BufferPool, KeepsSoMuchAndTheLatest) {
  BufferPool pool;
  pool.give(pool.take(BufferPool::kMost + 1));
  EXPECT_EQ(pool.bytes(), 0U);
  for (size_t i = 0; i < 100; ++i) {
    pool.give(Buffer{std::make_unique<char[]>(100000 + i), 100000 + i});
    EXPECT_LE(pool.bytes(), BufferPool::kMost);
  }
  EXPECT_GT(pool.bytes(), BufferPool::kMost - 200000);
  EXPECT_EQ(pool.take(100099).size, 100099U);
  const size_t before = pool.bytes();
  EXPECT_GE(pool.take(100000).size, 100000U);
  EXPECT_LT(pool.bytes(), before);
}

}  // namespace
}  // namespace maas::serve
