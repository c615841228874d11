#include "maas/serve/load_generator.h"

#include <gtest/gtest.h>

#include <cstdint>

namespace maas::serve {
namespace {

TEST(LatencyHistogram, BucketsHoldWhatTheySayAndAreNarrow) {
  for (uint64_t ns = 0; ns < 900'000'000'000; ns += 1 + ns / 23) {
    LatencyHistogram histogram;
    histogram.add(ns);
    const auto buckets = histogram.buckets();
    ASSERT_EQ(buckets.size(), 1U);
    EXPECT_GE(buckets[0].first, ns);
    EXPECT_LE(buckets[0].first, ns + ns / 64) << ns;
    EXPECT_EQ(buckets[0].second, 1U);
  }
}

TEST(LatencyHistogram, BucketsAscendAndCountAll) {
  LatencyHistogram histogram;
  uint64_t added = 0;
  for (uint64_t ns = UINT64_MAX; ns > 0; ns /= 3, ++added) histogram.add(ns);  // the longest in the last one
  uint64_t before = 0, counted = 0;
  for (const auto& [end, count] : histogram.buckets()) {
    EXPECT_GT(end, before);
    before = end;
    counted += count;
  }
  EXPECT_EQ(counted, added);
}

}  // namespace
}  // namespace maas::serve
