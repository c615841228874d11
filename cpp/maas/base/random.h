// Counter-based random numbers: Philox4x32-10 (Salmon et al., "Parallel random numbers: as easy as 1, 2, 3",
// 2011). A number is a function of (seed, stream, counter) alone, so any thread can make any part of a
// sequence, and results do not depend on who made it. Not for secrets.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

namespace maas {

using PhiloxBlock = std::array<uint32_t, 4>;

inline PhiloxBlock philox4x32(PhiloxBlock counter, uint32_t key0, uint32_t key1) {
  for (int round = 0; round < 10; ++round) {
    const uint64_t product0 = uint64_t{0xD2511F53} * counter[0];
    const uint64_t product1 = uint64_t{0xCD9E8D57} * counter[2];
    counter = {static_cast<uint32_t>(product1 >> 32) ^ counter[1] ^ key0, static_cast<uint32_t>(product1),
               static_cast<uint32_t>(product0 >> 32) ^ counter[3] ^ key1, static_cast<uint32_t>(product0)};
    key0 += 0x9E3779B9;
    key1 += 0xBB67AE85;
  }
  return counter;
}

// Block number `counter` of the sequence (seed, stream).
inline PhiloxBlock random_block(uint64_t seed, uint64_t stream, uint64_t counter) {
  return philox4x32({static_cast<uint32_t>(counter), static_cast<uint32_t>(counter >> 32),
                     static_cast<uint32_t>(stream), static_cast<uint32_t>(stream >> 32)},
                    static_cast<uint32_t>(seed), static_cast<uint32_t>(seed >> 32));
}

// In [0, 1): multiples of 2^-53 and 2^-24, each equally likely.
inline double unit_double(uint64_t bits) { return static_cast<double>(bits >> 11) * 0x1p-53; }
inline float unit_float(uint32_t bits) { return static_cast<float>(bits >> 8) * 0x1p-24f; }

// Reads one sequence from a block on. A plain value: copies continue independently. One thread at a time.
class RandomStream {
 public:
  RandomStream(uint64_t seed, uint64_t stream, uint64_t counter = 0)
      : seed_(seed), stream_(stream), counter_(counter) {}

  uint32_t next_u32() {
    if (used_ == 4) {
      block_ = random_block(seed_, stream_, counter_++);
      used_ = 0;
    }
    return block_[used_++];
  }
  uint64_t next_u64() {
    const uint64_t low = next_u32();
    return uint64_t{next_u32()} << 32 | low;
  }
  double uniform() { return unit_double(next_u64()); }
  float uniform_float() { return unit_float(next_u32()); }

  // In [0, bound), bound >= 1, each equally likely: Lemire's multiply and rarely reject ("Fast random integer
  // generation in an interval", 2019).
  uint32_t below(uint32_t bound) {
    uint64_t product = uint64_t{next_u32()} * bound;
    if (static_cast<uint32_t>(product) < bound) {
      const uint32_t rejected = -bound % bound;  // 2^32 mod bound
      while (static_cast<uint32_t>(product) < rejected) product = uint64_t{next_u32()} * bound;
    }
    return static_cast<uint32_t>(product >> 32);
  }

 private:
  uint64_t seed_, stream_, counter_;
  size_t used_ = 4;
  PhiloxBlock block_{};
};

// Fills out[0..n) with a random order of 0..n-1, the same for the same (seed, stream, n) everywhere.
// n <= 2^32 - 1, else InvalidArgument. About 5 ns an element.
void random_permutation(uint64_t seed, uint64_t stream, uint32_t* out, size_t n);

}  // namespace maas
