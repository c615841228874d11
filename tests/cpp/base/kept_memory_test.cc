#include "maas/base/kept_memory.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <cstring>
#include <thread>
#include <vector>

namespace maas {
namespace {

constexpr uintptr_t kPage = uintptr_t{2} << 20;

uintptr_t address(const KeptBuffer<char>& buffer) { return reinterpret_cast<uintptr_t>(buffer.data()); }

TEST(KeptMemory, BlocksAreAlignedWritableAndApart) {
  std::vector<KeptBuffer<char>> buffers;
  const size_t sizes[] = {0, 1, 64, 4095, 4096, 4097, 130'000, 800'000, size_t{2} << 20, 5'000'000};
  for (const size_t size : sizes) {
    buffers.emplace_back(size);
    EXPECT_EQ(address(buffers.back()) % 64, 0u);
    std::memset(buffers.back().data(), static_cast<int>(buffers.size()), size);
  }
  for (size_t i = 0; i < buffers.size(); ++i) {
    for (size_t k = 0; k < sizes[i]; ++k) ASSERT_EQ(buffers[i].data()[k], static_cast<char>(i + 1));
  }
}

TEST(KeptMemory, WeightsOfOneModelLieInOnePage) {
  const KeptBuffer<char> filler(1'500'000);  // leaves less room than the next block needs
  const KeptBuffer<char> first(803'000), second(131'000), third(5'000);
  EXPECT_EQ(address(first) / kPage, address(second) / kPage);
  EXPECT_EQ(address(first) / kPage, address(third) / kPage);
}

TEST(KeptMemory, APageIsUsedAgainOnceEmpty) {
  uintptr_t before = 0;
  {
    const KeptBuffer<char> large(1'900'000);
    before = address(large);
  }
  const KeptBuffer<char> again(1'900'000);
  EXPECT_EQ(address(again), before);
}

TEST(KeptMemory, MovesAndThreads) {
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([t] {
      std::vector<KeptBuffer<char>> mine;
      for (size_t i = 0; i < 200; ++i) {
        KeptBuffer<char> block(5000 + 997 * i);
        std::memset(block.data(), t, 5000 + 997 * i);
        mine.push_back(std::move(block));
        if (i % 3 == 1) mine.front() = KeptBuffer<char>();
        EXPECT_EQ(mine.back().data()[4999], static_cast<char>(t));
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
}

}  // namespace
}  // namespace maas
