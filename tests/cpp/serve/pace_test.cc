#include "maas/serve/pace.h"

#include <gtest/gtest.h>

namespace maas::serve {
namespace {

using Clock = Pace::Clock;

TEST(Pace, TheFirstPieceEndsNow) {
  Pace pace;
  const auto begun = Clock::now();
  pace.start(begun);
  EXPECT_EQ(pace.at(), begun);
  const auto before = Clock::now();
  const auto end = pace.step();
  EXPECT_GE(end, before);
  EXPECT_LE(end, Clock::now());
  EXPECT_EQ(pace.at(), end);
}

TEST(Pace, NeverGoesBackAndIsRightAgainAtEachEighth) {
  Pace pace;
  pace.start(Clock::now() - std::chrono::milliseconds(5));  // the first piece seems to take that long
  auto last = pace.at();
  for (int i = 0; i < 1 + 8 * 20; ++i) {
    const auto end = pace.step();
    EXPECT_GE(end, last);
    last = end;
  }
  pace.start(Clock::now());
  const auto end = pace.step();
  EXPECT_LE(end, Clock::now());
  for (int i = 0; i < 8; ++i) last = pace.step();
  EXPECT_LE(pace.at() - Clock::now(), std::chrono::seconds(30));
}

TEST(Pace, PiecesThatAreReckonedTakeAsLongAsThoseBefore) {
  Pace pace;
  pace.start(Clock::now() - std::chrono::hours(1));
  auto last = pace.step();
  for (int i = 0; i < 7; ++i) {
    const auto end = pace.step();
    EXPECT_GE(end - last, std::chrono::hours(1));
    EXPECT_LT(end - last, std::chrono::hours(2));
    last = end;
  }
  EXPECT_EQ(pace.step(), last) << "the clock is behind, and is waited for";
}

}  // namespace
}  // namespace maas::serve
