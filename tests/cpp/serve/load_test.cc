#include "maas/serve/load.h"

#include <gtest/gtest.h>

namespace maas::serve {
namespace {

TEST(Share, AllTogetherStayBelowTheLimit) {
  Load load;
  {
    Share first(load, 100), second(load, 100);
    EXPECT_TRUE(first.take(60));
    EXPECT_FALSE(second.take(41));
    EXPECT_TRUE(second.take(40));
    EXPECT_TRUE(first.grow_to(10)) << "it has more";
    EXPECT_FALSE(first.grow_to(61));
    second.hold_more(100);
    EXPECT_EQ(load.bytes.load(), 200U);
    first.hold(5);
    EXPECT_EQ(load.bytes.load(), 145U);
  }
  EXPECT_EQ(load.bytes.load(), 0U);
}

TEST(Ebb, ComesOnceAfterMuchWasHeld) {
  Load load;
  Ebb ebb;
  EXPECT_FALSE(ebb.seen(load));
  load.bytes = Ebb::kWorth - 1;
  EXPECT_FALSE(ebb.seen(load));
  load.bytes = 0;
  EXPECT_FALSE(ebb.seen(load)) << "not worth it";
  load.connections = 8000;
  EXPECT_FALSE(ebb.seen(load));
  load.connections = 4000;
  EXPECT_FALSE(ebb.seen(load)) << "still many";
  load.connections = 10;
  EXPECT_TRUE(ebb.seen(load));
  EXPECT_FALSE(ebb.seen(load));
  load.connections = 0;
  EXPECT_FALSE(ebb.seen(load));
  load.bytes = Ebb::kWorth;
  EXPECT_FALSE(ebb.seen(load));
  load.bytes = 1000;
  EXPECT_TRUE(ebb.seen(load)) << "again";
  {
    Share(load, 2 * Ebb::kWorth).take(Ebb::kWorth);
  }
  EXPECT_TRUE(ebb.seen(load)) << "between two looks";
  EXPECT_FALSE(ebb.seen(load));
}

}  // namespace
}  // namespace maas::serve
