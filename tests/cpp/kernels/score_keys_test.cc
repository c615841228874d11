#include "maas/kernels/score_keys.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <random>
#include <vector>

#include "targets.h"

namespace maas {
namespace {

std::vector<double> rising_scores() {
  std::mt19937_64 random(3);
  std::uniform_real_distribution<double> exponent(-60, 40), unit(-1, 2);
  std::vector<double> scores = {0.0, -0.0, 5e-324, -5e-324, 1e308, -1e308, 1, -1, 0x1p-32, 0x1p16};
  for (int i = 0; i < 3000; ++i) {
    scores.push_back((i % 2 ? 1 : -1) * std::exp2(exponent(random)));
    scores.push_back(unit(random));
  }
  std::sort(scores.begin(), scores.end());
  return scores;
}

const ScoreBins kBins[] = {{false, 1, 0, 0},  {false, 64, 0, 0},       {false, 1u << 16, 0, 0},
                           {true, 1, 0, 1},   {true, 1000, -0.5, 1.7}, {true, 1u << 22, 0, 1},
                           {true, 3, 0, 1e-9}};

TEST(ScoreKeys, RiseWithTheScoresAndAreTheSameOnEveryTarget) {
  const std::vector<double> scores = rising_scores();
  for (const ScoreBins& bins : kBins) {
    std::vector<uint32_t> first;
    test::for_each_target([&] {
      std::vector<uint32_t> keys(scores.size());
      EXPECT_TRUE(score_keys(bins, scores.data(), scores.size(), keys.data()));
      EXPECT_TRUE(std::is_sorted(keys.begin(), keys.end()));
      EXPECT_LT(keys.back(), bins.count());
      if (first.empty()) first = keys;
      EXPECT_EQ(keys, first);
    });
  }
}

TEST(ScoreKeys, EndsOfTheRange) {
  const ScoreBins bins{true, 10, 0, 1};
  const std::vector<double> scores = {-1e-300, 0, 0.05, 0.95, 1, 1.0000001};
  std::vector<uint32_t> keys(scores.size());
  EXPECT_TRUE(score_keys(bins, scores.data(), scores.size(), keys.data()));
  EXPECT_EQ(keys, (std::vector<uint32_t>{0, 1, 1, 10, 10, 11}));
}

TEST(ScoreKeys, LengthsAndNonFiniteScores) {
  test::for_each_target([&] {
    for (const ScoreBins& bins : kBins) {
      for (size_t n = 0; n <= test::kTailLengths<double>; ++n) {
        test::GuardedBuffer<double> scores(n);
        test::GuardedBuffer<uint32_t> keys(n);
        for (size_t i = 0; i < n; ++i) scores[i] = 0.1 * static_cast<double>(i) - 0.3;
        EXPECT_TRUE(score_keys(bins, scores.data(), n, keys.data()));
        for (size_t i = 0; i < n; ++i) {
          uint32_t alone;
          score_keys(bins, &scores[i], 1, &alone);
          EXPECT_EQ(keys[i], alone);
        }
        for (const double bad : {HUGE_VAL, -HUGE_VAL, std::nan("")}) {
          if (n == 0) continue;
          scores[n - 1] = bad;
          EXPECT_FALSE(score_keys(bins, scores.data(), n, keys.data()));
        }
      }
    }
  });
}

}  // namespace
}  // namespace maas
