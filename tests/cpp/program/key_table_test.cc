#include "maas/program/steps/key_table.h"

#include <gtest/gtest.h>

#include <limits>
#include <map>
#include <random>

namespace maas {
namespace {

template <class T>
std::vector<uint64_t> bits_of(const std::vector<T>& keys) {
  std::vector<uint64_t> bits;
  for (const T key : keys) bits.push_back(key_bits(key));
  return bits;
}

void expect_like_map(const std::vector<uint64_t>& keys, const std::vector<uint64_t>& asked) {
  for (const Repeated repeated : {Repeated::kFirst, Repeated::kLast}) {
    std::map<uint64_t, uint32_t> expected;
    for (size_t i = 0; i < keys.size(); ++i) {
      if (repeated == Repeated::kLast) {
        expected[keys[i]] = static_cast<uint32_t>(i);
      } else {
        expected.emplace(keys[i], static_cast<uint32_t>(i));
      }
    }
    const NumberTable table(keys, repeated);
    for (const uint64_t key : keys) EXPECT_EQ(table.find(key), expected[key]) << key;
    for (const uint64_t key : asked) {
      const auto found = expected.find(key);
      EXPECT_EQ(table.find(key), found == expected.end() ? kAbsent : found->second) << key;
    }
  }
}

TEST(NumberTable, EmptyKnowsNothing) {
  EXPECT_EQ(NumberTable().find(0), kAbsent);
  EXPECT_EQ(NumberTable({}, Repeated::kLast).find(7), kAbsent);
}

TEST(NumberTable, CloseKeysOfEitherSign) {
  expect_like_map(bits_of<int64_t>({-3, 0, 5, -1, 0, 2}), bits_of<int64_t>({-4, -2, 1, 6, 1000, -1000}));
}

TEST(NumberTable, ExtremeKeys) {
  const int64_t least = std::numeric_limits<int64_t>::min(), most = std::numeric_limits<int64_t>::max();
  expect_like_map(bits_of<int64_t>({least, most, 0, -1}), bits_of<int64_t>({1, least + 1, most - 1}));
}

TEST(NumberTable, RandomKeys) {
  std::mt19937_64 random(1);
  for (const size_t count : {1u, 7u, 8u, 9u, 100u, 3000u}) {
    std::vector<uint64_t> keys(count), asked(count);
    for (auto& key : keys) key = random() % 5 == 0 ? random() % 50 : random();
    for (auto& key : asked) key = random() % 5 == 0 ? random() % 50 : random();
    expect_like_map(keys, asked);
  }
}

TEST(NumberTable, KeysOfOneSlotFallBackToASearch) {
  std::vector<uint64_t> keys;  // multiples of 2^60: every factor sends them to a few slots
  for (uint64_t i = 0; i < 16; ++i) {
    for (uint64_t j = 0; j < 40; ++j) keys.push_back(i << 60 | j << 40);
  }
  expect_like_map(keys, {1, 2, uint64_t{1} << 59, ~uint64_t{0}});
}

TEST(NumberTable, FloatKeysCompareAsNumbers) {
  const double nan = std::numeric_limits<double>::quiet_NaN();
  const NumberTable table(bits_of<double>({1.5, -nan, -0.0}), Repeated::kLast);
  EXPECT_EQ(table.find(key_bits(nan)), 1u);
  EXPECT_EQ(table.find(key_bits(std::numeric_limits<float>::quiet_NaN())), 1u);
  EXPECT_EQ(table.find(key_bits(0.0f)), 2u);
  EXPECT_EQ(table.find(key_bits(1.5f)), 0u);
  EXPECT_EQ(table.find(key_bits(1.0)), kAbsent);
}

TEST(TextTable, LikeAMap) {
  std::mt19937_64 random(2);
  for (const size_t count : {0u, 1u, 4u, 5u, 200u, 5000u}) {
    std::vector<std::string> keys;
    for (size_t i = 0; i < count; ++i) {
      std::string key(random() % 20, 'a');
      for (char& letter : key) letter = static_cast<char>(random() % 4 ? 'a' + random() % 3 : random() % 256);
      keys.push_back(key);
    }
    for (const Repeated repeated : {Repeated::kFirst, Repeated::kLast}) {
      std::map<std::string, uint32_t> expected;
      for (size_t i = 0; i < count; ++i) {
        if (repeated == Repeated::kLast) {
          expected[keys[i]] = static_cast<uint32_t>(i);
        } else {
          expected.emplace(keys[i], static_cast<uint32_t>(i));
        }
      }
      const TextTable table(keys, repeated);
      for (const auto& key : keys) {
        EXPECT_EQ(table.find(key), expected[key]);
        const std::string longer = key + std::string(1, '\0');
        const auto found = expected.find(longer);
        EXPECT_EQ(table.find(longer), found == expected.end() ? kAbsent : found->second);
      }
    }
  }
}

TEST(TextTable, ReadsNothingPastAText) {
  const TextTable table({"abcdefgh", "abcdefghi", "b", "c", "d", "", "abcdefg"}, Repeated::kFirst);
  const std::string text = "abcdefghi";
  EXPECT_EQ(table.find(std::string_view(text).substr(0, 8)), 0u);
  EXPECT_EQ(table.find(std::string_view(text).substr(0, 7)), 6u);
  EXPECT_EQ(table.find(std::string_view(text).substr(0, 0)), 5u);
  EXPECT_EQ(table.find(std::string_view()), 5u);
}

}  // namespace
}  // namespace maas
