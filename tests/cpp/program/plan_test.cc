#include "maas/program/plan.h"

#include <gtest/gtest.h>

#include <random>

namespace maas {
namespace {

TEST(Plan, GivesTheMemoryOfDeadValuesToLaterOnes) {
  const Placement placement = place({{64, 0, 1}, {64, 1, 2}, {64, 2, 3}});
  EXPECT_EQ(placement.bytes, 128u);
  EXPECT_NE(placement.offsets[0], placement.offsets[1]);
  EXPECT_NE(placement.offsets[1], placement.offsets[2]);
}

TEST(Plan, NeverOverlapsValuesAliveAtTheSameTime) {
  std::mt19937 random(1);
  for (int repeat = 0; repeat < 50; ++repeat) {
    std::vector<Lifetime> values(30);
    for (Lifetime& value : values) {
      value.bytes = random() % 1000;
      value.first = random() % 20;
      value.last = value.first + random() % 6;
    }
    const Placement placement = place(values);
    EXPECT_GE(placement.bytes, peak_bytes(values));
    for (size_t a = 0; a < values.size(); ++a) {
      EXPECT_EQ(placement.offsets[a] % 64, 0u);
      EXPECT_LE(placement.offsets[a] + values[a].bytes, placement.bytes);
      for (size_t b = 0; b < a; ++b) {
        if (values[a].last < values[b].first || values[b].last < values[a].first) continue;
        if (values[a].bytes == 0 || values[b].bytes == 0) continue;
        EXPECT_TRUE(placement.offsets[a] + values[a].bytes <= placement.offsets[b] ||
                    placement.offsets[b] + values[b].bytes <= placement.offsets[a]);
      }
    }
  }
}

TEST(Plan, TakesFewRowsWhereTheyAreWide) {
  EXPECT_EQ(choose_block_rows(0), choose_block_rows(8));
  EXPECT_EQ(choose_block_rows(size_t{1} << 30), 1u);
  EXPECT_EQ(choose_block_rows(10'000), 48u);
  EXPECT_GE(choose_block_rows(512), 200u);
}

}  // namespace
}  // namespace maas
