// Decimal digits of a text, many at a time. All read some bytes further than what they are asked of.
#pragma once

#include <bit>
#include <cstdint>
#include <cstring>

#if defined(__SSE4_1__)
#include <smmintrin.h>
#endif

namespace maas::wire {

static_assert(std::endian::native == std::endian::little, "a text's first byte is the lowest of a word");

inline constexpr uint64_t kPowers[] = {1,
                                       10,
                                       100,
                                       1000,
                                       10000,
                                       100000,
                                       1000000,
                                       10000000,
                                       100000000,
                                       1000000000,
                                       10000000000,
                                       100000000000,
                                       1000000000000,
                                       10000000000000,
                                       100000000000000,
                                       1000000000000000,
                                       10000000000000000,
                                       100000000000000000,
                                       1000000000000000000,
                                       10000000000000000000u};

// The number that the `count` digits at `at` make, 0 to 8 of them. Reads 8 bytes.
inline uint64_t short_number(const char* at, unsigned count) {
  uint64_t bytes;
  std::memcpy(&bytes, at, sizeof(bytes));
  bytes ^= 0x3030303030303030;                            // a digit's byte is its value
  bytes = bytes << (32 - 4 * count) << (32 - 4 * count);  // zeros in front
  bytes = bytes * 10 + (bytes >> 8);
  const uint64_t pairs = bytes & 0x000000ff000000ff, others = (bytes >> 16) & 0x000000ff000000ff;
  return (pairs * 0x000f424000000064 + others * 0x0000271000000001) >> 32;
}

#if defined(__SSE4_1__)

// Bit i: whether at[i] is a digit, of 32 bytes.
inline uint32_t digit_mask(const char* at) {
  const auto half = [](const char* text) {
    const __m128i bytes = _mm_loadu_si128(reinterpret_cast<const __m128i*>(text));
    const __m128i value = _mm_sub_epi8(bytes, _mm_set1_epi8('0'));
    return static_cast<uint32_t>(
        _mm_movemask_epi8(_mm_cmpeq_epi8(_mm_min_epu8(value, _mm_set1_epi8(9)), value)));
  };
  return half(at) | half(at + 16) << 16;
}

// As short_number, of 0 to 16 digits. Reads 16 bytes.
inline uint64_t long_number(const char* at, unsigned count) {
  alignas(16) static constexpr int8_t kPlaces[32] = {-1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1,
                                                     -1, -1, -1, -1, -1, 0,  1,  2,  3,  4,  5,
                                                     6,  7,  8,  9,  10, 11, 12, 13, 14, 15};
  const __m128i bytes = _mm_loadu_si128(reinterpret_cast<const __m128i*>(at));
  const __m128i places = _mm_loadu_si128(reinterpret_cast<const __m128i*>(kPlaces + count));
  const __m128i ones = _mm_shuffle_epi8(_mm_sub_epi8(bytes, _mm_set1_epi8('0')), places);  // zeros in front
  const __m128i twos = _mm_maddubs_epi16(ones, _mm_set1_epi16(0x010a));                    // times 10 and 1
  const __m128i fours = _mm_madd_epi16(twos, _mm_set1_epi32(0x00010064));                  // times 100 and 1
  const __m128i eights = _mm_madd_epi16(_mm_packus_epi32(fours, fours), _mm_set1_epi32(0x00012710));
  const auto both = static_cast<uint64_t>(_mm_cvtsi128_si64(eights));
  return (both & 0xffffffff) * kPowers[8] + (both >> 32);
}

#else

inline uint32_t digit_mask(const char* at) {
  uint32_t mask = 0;
  for (int i = 0; i < 4; ++i) {
    uint64_t bytes;
    std::memcpy(&bytes, at + 8 * i, sizeof(bytes));
    bytes ^= 0x3030303030303030;
    const uint64_t others =
        (((bytes & 0x7f7f7f7f7f7f7f7f) + 0x7676767676767676) | bytes) & 0x8080808080808080;
    mask |= static_cast<uint32_t>((((others ^ 0x8080808080808080) >> 7) * 0x0102040810204080) >> 56)
            << (8 * i);
  }
  return mask;
}

inline uint64_t long_number(const char* at, unsigned count) {
  if (count <= 8) return short_number(at, count);
  return short_number(at, 8) * kPowers[count - 8] + short_number(at + 8, count - 8);
}

#endif

}  // namespace maas::wire
