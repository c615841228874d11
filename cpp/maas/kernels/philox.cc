#include "maas/kernels/philox.h"

#include <cstring>

#include "maas/base/random.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "maas/kernels/philox.cc"
#include "hwy/foreach_target.h"
#include "hwy/highway.h"

HWY_BEFORE_NAMESPACE();
namespace maas {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

constexpr size_t kRounds = 10;

// One 64-bit lane a block. Only the lower halves of c1 and c3 count; what is above them never comes down.
void PhiloxWords(uint64_t seed, uint64_t stream, uint64_t counter, size_t blocks, uint32_t* words) {
  const hn::ScalableTag<uint64_t> d;
  const hn::Repartition<uint32_t, decltype(d)> d32;
  const hn::Rebind<uint32_t, decltype(d)> half;
  const size_t lanes = hn::Lanes(d);
  const auto low_half = hn::Set(d, uint64_t{0xffffffff});
  const auto factor0 = hn::BitCast(d32, hn::Set(d, uint64_t{0xD2511F53}));
  const auto factor1 = hn::BitCast(d32, hn::Set(d, uint64_t{0xCD9E8D57}));
  hn::Vec<decltype(d)> keys0[kRounds], keys1[kRounds];
  auto key0 = static_cast<uint32_t>(seed), key1 = static_cast<uint32_t>(seed >> 32);
  for (size_t round = 0; round < kRounds; ++round) {
    keys0[round] = hn::Set(d, uint64_t{key0});
    keys1[round] = hn::Set(d, uint64_t{key1});
    key0 += 0x9E3779B9;
    key1 += 0xBB67AE85;
  }
  size_t i = 0;
  for (; i + lanes <= blocks; i += lanes) {
    const auto at = hn::Add(hn::Set(d, counter + i), hn::Iota(d, 0));
    auto c0 = hn::And(at, low_half), c1 = hn::ShiftRight<32>(at);
    auto c2 = hn::Set(d, stream & 0xffffffff), c3 = hn::Set(d, stream >> 32);
    for (size_t round = 0; round < kRounds; ++round) {
      const auto product0 = hn::MulEven(hn::BitCast(d32, c0), factor0);
      const auto product1 = hn::MulEven(hn::BitCast(d32, c2), factor1);
      c0 = hn::Xor3(hn::ShiftRight<32>(product1), c1, keys0[round]);
      c2 = hn::Xor3(hn::ShiftRight<32>(product0), c3, keys1[round]);
      c1 = product1;
      c3 = product0;
    }
    hn::StoreInterleaved4(hn::TruncateTo(half, c0), hn::TruncateTo(half, c1), hn::TruncateTo(half, c2),
                          hn::TruncateTo(half, c3), half, words + 4 * i);
  }
  for (; i < blocks; ++i) {
    const PhiloxBlock block = random_block(seed, stream, counter + i);
    std::memcpy(words + 4 * i, block.data(), sizeof block);
  }
}

}  // namespace HWY_NAMESPACE
}  // namespace maas
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace maas {

HWY_EXPORT(PhiloxWords);

void philox_words(uint64_t seed, uint64_t stream, uint64_t counter, size_t blocks, uint32_t* words) {
  HWY_DYNAMIC_DISPATCH(PhiloxWords)(seed, stream, counter, blocks, words);
}

}  // namespace maas
#endif  // HWY_ONCE
