#include "maas/base/random.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <numeric>
#include <vector>

#include "maas/base/error.h"

namespace maas {
namespace {

// kat_vectors of the Random123 distribution, rows "philox4x32 10".
TEST(Random, KnownAnswers) {
  EXPECT_EQ(philox4x32({0, 0, 0, 0}, 0, 0), (PhiloxBlock{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}));
  EXPECT_EQ(philox4x32({~0u, ~0u, ~0u, ~0u}, ~0u, ~0u),
            (PhiloxBlock{0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}));
  EXPECT_EQ(philox4x32({0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344}, 0xa4093822, 0x299f31d0),
            (PhiloxBlock{0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}));
}

TEST(Random, StreamIsItsBlocksInOrder) {
  RandomStream random(7, uint64_t{1} << 40, 5);
  for (uint64_t counter = 5; counter < 8; ++counter) {
    for (const uint32_t word : random_block(7, uint64_t{1} << 40, counter))
      EXPECT_EQ(random.next_u32(), word);
  }
}

TEST(Random, SeedStreamAndCounterAllCount) {
  const PhiloxBlock block = random_block(1, 2, 3);
  for (const int shift : {0, 32}) {
    const uint64_t one = uint64_t{1} << shift;
    EXPECT_NE(random_block(1 + one, 2, 3), block);
    EXPECT_NE(random_block(1, 2 + one, 3), block);
    EXPECT_NE(random_block(1, 2, 3 + one), block);
  }
}

TEST(Random, UnitIntervalIsHalfOpen) {
  EXPECT_EQ(unit_double(0), 0);
  EXPECT_EQ(unit_double(~uint64_t{0}), 1 - 0x1p-53);
  EXPECT_EQ(unit_float(0), 0);
  EXPECT_EQ(unit_float(~uint32_t{0}), 1 - 0x1p-24f);
  RandomStream random(1, 0);
  double sum = 0;
  for (int i = 0; i < 100000; ++i) sum += random.uniform();
  EXPECT_NEAR(sum / 100000, 0.5, 5 * 0.2887 / 316);  // five standard errors
}

TEST(Random, BelowIsUnbiased) {
  RandomStream random(3, 0);
  for (int i = 0; i < 100; ++i) EXPECT_EQ(random.below(1), 0u);
  // With bound 3·2^30 a plain multiply or modulo would give a quarter of the range twice the weight.
  constexpr uint32_t kBound = 3u << 30;
  constexpr int kDraws = 120000;
  int thirds[3] = {};
  for (int i = 0; i < kDraws; ++i) {
    const uint32_t value = random.below(kBound);
    ASSERT_LT(value, kBound);
    ++thirds[value >> 30];
  }
  for (const int count : thirds) EXPECT_NEAR(count, kDraws / 3, 5 * 163);
}

TEST(Random, PermutationHoldsEachIndexOnce) {
  for (const size_t n : {0, 1, 2, 3, 63, 64, 65, 66, 127, 128, 129, 1000, 100003}) {
    std::vector<uint32_t> order(n + 1, 77), sorted(n);
    random_permutation(1, 2, order.data(), n);
    EXPECT_EQ(order[n], 77u) << "wrote past the end";
    order.pop_back();
    std::sort(order.begin(), order.end());
    std::iota(sorted.begin(), sorted.end(), 0u);
    EXPECT_EQ(order, sorted);
  }
}

TEST(Random, PermutationsAreEquallyLikely) {
  std::map<std::vector<uint32_t>, int> seen;
  constexpr int kDraws = 24000;
  for (uint64_t stream = 0; stream < kDraws; ++stream) {
    std::vector<uint32_t> order(4);
    random_permutation(9, stream, order.data(), order.size());
    ++seen[order];
  }
  EXPECT_EQ(seen.size(), 24u);
  for (const auto& [order, count] : seen) EXPECT_NEAR(count, 1000, 5 * 31);
}

TEST(Random, PermutationIsAddressedBySeedAndStream) {
  auto order = [](uint64_t seed, uint64_t stream) {
    std::vector<uint32_t> out(1000);
    random_permutation(seed, stream, out.data(), out.size());
    return out;
  };
  EXPECT_EQ(order(1, 2), order(1, 2));
  EXPECT_NE(order(1, 2), order(1, 3));
  EXPECT_NE(order(1, 2), order(2, 2));
}

TEST(Random, PermutationIsTheSameInEveryVersion) {
  std::vector<uint32_t> order(8);
  random_permutation(0, 0, order.data(), order.size());
  EXPECT_EQ(order, (std::vector<uint32_t>{0, 2, 1, 5, 7, 4, 6, 3}));  // worked out apart
}

TEST(Random, PermutationRefusesMoreRowsThanItsIndicesCount) {
  EXPECT_THROW(random_permutation(0, 0, nullptr, size_t{1} << 32), Error);
}

}  // namespace
}  // namespace maas
