#include "maas/metrics/resample.h"

#include <gtest/gtest.h>

#include <cmath>
#include <numeric>
#include <vector>

#include "maas/kernels/philox.h"
#include "maas/metrics/binomial.h"
#include "maas/metrics/bootstrap.h"
#include "targets.h"

namespace maas {
namespace {

TEST(PhiloxWords, AreThoseOfRandomBlock) {
  test::for_each_target([&] {
    for (size_t blocks = 0; blocks <= 21; ++blocks) {
      const uint64_t seed = 0x123456789abcdef, stream = (uint64_t{7} << 40) + blocks;
      const uint64_t counter = 0xfffffff0;  // carries into the upper word
      std::vector<uint32_t> words(4 * blocks + 1, 42);
      philox_words(seed, stream, counter, blocks, words.data());
      for (size_t i = 0; i < blocks; ++i) {
        const PhiloxBlock block = random_block(seed, stream, counter + i);
        for (size_t k = 0; k < 4; ++k) ASSERT_EQ(words[4 * i + k], block[k]) << i;
      }
      EXPECT_EQ(words[4 * blocks], 42u);
    }
  });
}

// Mean and variance of many draws, within five standard errors.
void expect_binomial(uint64_t n, double p) {
  constexpr int kDraws = 40000;
  RandomStream random(5, n);
  double sum = 0, squares = 0;
  const double mean = static_cast<double>(n) * p, variance = mean * (1 - p);
  for (int i = 0; i < kDraws; ++i) {
    const uint64_t k = random_binomial(random, n, p);
    ASSERT_LE(k, n);
    const double off = static_cast<double>(k) - mean;
    sum += off;
    squares += off * off;
  }
  const double kurtosis = variance > 0 ? 3 + (1 - 6 * p * (1 - p)) / variance : 0;
  EXPECT_LE(std::fabs(sum / kDraws), 5 * std::sqrt(variance / kDraws)) << n << " " << p;
  EXPECT_LE(std::fabs(squares / kDraws - variance), 5 * variance * std::sqrt(kurtosis / kDraws))
      << n << " " << p;
}

TEST(RandomBinomial, HasItsMeanAndVariance) {
  for (const uint64_t n : {1u, 5u, 20u, 21u, 200u, 100000u, 4000000000u}) {
    for (const double p : {0.0, 1e-9, 0.01, 0.3, 0.5, 0.51, 0.97, 1.0}) expect_binomial(n, p);
  }
}

// Every value's frequency against the exact probability, where rejection has just taken over.
TEST(RandomBinomial, HasTheExactFrequencies) {
  constexpr int kDraws = 400000;
  const double p = 0.25;
  const int n = 48;
  RandomStream random(6, 1);
  std::vector<double> seen(n + 1);
  for (int i = 0; i < kDraws; ++i) seen[random_binomial(random, n, p)] += 1;
  double chi = 0;
  int cells = 0;
  for (int k = 0; k <= n; ++k) {
    const double log_ways = std::lgamma(n + 1) - std::lgamma(k + 1) - std::lgamma(n - k + 1);
    const double expected = kDraws * std::exp(log_ways + k * std::log(p) + (n - k) * std::log(1 - p));
    if (expected < 10) continue;
    chi += (seen[k] - expected) * (seen[k] - expected) / expected;
    ++cells;
  }
  EXPECT_LT(chi, cells + 5 * std::sqrt(2.0 * cells));
}

TEST(Resampler, DrawsAsManyFromEachStratumAsItHas) {
  const std::vector<uint64_t> strata = {1, 1023, 1024, 2500, 7};
  const Resampler resampler(3, strata);
  ASSERT_EQ(resampler.rows(), 4555u);
  for (uint64_t r = 0; r < 50; ++r) {
    std::vector<int64_t> rows(resampler.rows());
    bootstrap_rows(3, r, strata, rows.data());
    size_t at = 0;
    int64_t begin = 0;
    for (const uint64_t size : strata) {
      for (uint64_t k = 0; k < size; ++k, ++at) {
        ASSERT_GE(rows[at], begin);
        ASSERT_LT(rows[at], begin + static_cast<int64_t>(size));
      }
      begin += static_cast<int64_t>(size);
    }
  }
}

TEST(Resampler, EveryRowIsDrawnEquallyOften) {
  const std::vector<uint64_t> strata = {2148};
  constexpr int kResamples = 4000;
  std::vector<double> times(2148), squares(2148);
  for (uint64_t r = 0; r < kResamples; ++r) {
    std::vector<int64_t> rows(2148);
    bootstrap_rows(1, r, strata, rows.data());
    std::vector<double> counts(2148);
    for (const int64_t row : rows) counts[static_cast<size_t>(row)] += 1;
    for (size_t i = 0; i < counts.size(); ++i) {
      times[i] += counts[i];
      squares[i] += counts[i] * counts[i];
    }
  }
  double variance = 0;
  for (size_t i = 0; i < times.size(); ++i) {
    ASSERT_NEAR(times[i] / kResamples, 1, 6 / std::sqrt(kResamples)) << i;
    variance += squares[i] / kResamples - 1;
  }
  EXPECT_NEAR(variance / 2148, 1 - 1.0 / 2148, 0.005);
}

TEST(Bootstrap, SumsAreThoseOfTheDrawnRows) {
  const std::vector<uint64_t> strata = {1500, 900};
  std::vector<double> a(2400), b(2400);
  for (size_t i = 0; i < a.size(); ++i) {
    a[i] = std::sin(static_cast<double>(i));
    b[i] = static_cast<double>(i * i % 17);
  }
  std::vector<double> sums(2 * 21);
  bootstrap_sums(9, 21, strata, {a.data(), b.data()}, sums.data());
  for (uint64_t r = 0; r < 21; ++r) {
    std::vector<int64_t> rows(2400);
    bootstrap_rows(9, r, strata, rows.data());
    double sum_a = 0, sum_b = 0;
    for (const int64_t row : rows) {
      sum_a += a[static_cast<size_t>(row)];
      sum_b += b[static_cast<size_t>(row)];
    }
    EXPECT_NEAR(sums[2 * r], sum_a, 1e-10);
    EXPECT_EQ(sums[2 * r + 1], sum_b);
  }
}

}  // namespace
}  // namespace maas
