#include "maas/base/float_env.h"

#include <gtest/gtest.h>

#include <atomic>
#include <bit>
#include <cfenv>
#include <thread>
#include <vector>

#include "maas/base/thread_pool.h"

namespace maas {
namespace {

// Sensitive to rounding and to flushed subnormals; noinline and volatile so that it runs when it is called.
__attribute__((noinline)) std::vector<uint64_t> result_bits() {
  volatile double third = 1.0, tiny = 0x1p-1022, small = 1.0;
  third = third / 3.0;
  tiny = tiny / 4.0;
  small = small + 0x1p-53;
  return {std::bit_cast<uint64_t>(double{third}), std::bit_cast<uint64_t>(double{tiny}),
          std::bit_cast<uint64_t>(double{small})};
}

// A caller's word unlike the default one, for the duration of a scope.
class UnusualWord {
 public:
  UnusualWord() {
    std::fesetround(FE_UPWARD);
#if defined(__x86_64__)
    _mm_setcsr(_mm_getcsr() | 0x8040);  // flush to zero, subnormals are zero
#endif
  }
  ~UnusualWord() { std::fesetenv(FE_DFL_ENV); }
};

TEST(FloatEnv, SameBitsUnderAnyCallersWord) {
  const auto expected = result_bits();
  const UnusualWord unusual;
  ASSERT_NE(result_bits(), expected);
  const FloatEnv env;
  EXPECT_EQ(result_bits(), expected);
}

TEST(FloatEnv, CallerGetsTheWordBack) {
  const UnusualWord unusual;
  const auto before = result_bits();
  {
    const FloatEnv env;
  }
  EXPECT_EQ(std::fegetround(), FE_UPWARD);
  EXPECT_EQ(result_bits(), before);
}

TEST(FloatEnv, CallerGetsTheWordBackAfterAnException) {
  const UnusualWord unusual;
  try {
    const FloatEnv env;
    throw 1;
  } catch (int) {
  }
  EXPECT_EQ(std::fegetround(), FE_UPWARD);
}

TEST(FloatEnv, WorkersStartedByAnUnusualCallerUseTheDefaultWord) {
  const auto expected = result_bits();
  const int threads_before = num_threads();
  {
    const UnusualWord unusual;
    const FloatEnv env;
    set_num_threads(9);  // more than any other test, so that new workers start here
    std::atomic<int> here{0};
    std::vector<std::vector<uint64_t>> bits(9);
    parallel_for(bits.size(), [&](size_t task, int) {
      here.fetch_add(1);
      while (here.load() < 9) std::this_thread::yield();
      bits[task] = result_bits();
    });
    for (const auto& b : bits) EXPECT_EQ(b, expected);
  }
  set_num_threads(threads_before);
}

}  // namespace
}  // namespace maas
