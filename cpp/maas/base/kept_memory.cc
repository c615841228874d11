#include "maas/base/kept_memory.h"

#include <pthread.h>

#include <cstdlib>
#include <mutex>

#include "maas/base/aligned.h"

#if defined(__linux__)
#include <sys/mman.h>
#endif

namespace maas::detail {

// Filled from the front; given back whole, when nothing lives in it.
struct KeptPage {
  std::byte* data;
  size_t used = 0;
  size_t blocks = 0;
};

namespace {

constexpr size_t kPageBytes = size_t{2} << 20;
constexpr size_t kSmallest = 4096;  // smaller blocks would hold a page alive for little

std::mutex mutex;
KeptPage* filling = nullptr;

// A child of fork must not inherit a lock that another thread held.
const int at_fork = pthread_atfork([] { mutex.lock(); }, [] { mutex.unlock(); }, [] { mutex.unlock(); });

KeptPage* new_page() {
  void* data = std::aligned_alloc(kPageBytes, kPageBytes);
  if (data == nullptr) throw std::bad_alloc();
#if defined(__linux__)
  madvise(data, kPageBytes, MADV_HUGEPAGE);  // advice only: where huge pages are off it changes nothing
#endif
  return new KeptPage{static_cast<std::byte*>(data)};
}

void release(KeptPage* page) {
  std::free(page->data);
  delete page;
}

}  // namespace

KeptBlock take_kept(size_t bytes) {
  (void)at_fork;
  const size_t rounded = (bytes + kAlignment) / kAlignment * kAlignment;  // at least one byte more
  if (bytes < kSmallest || rounded > kPageBytes) return {allocate_aligned(bytes), nullptr};
  const std::lock_guard lock(mutex);
  if (filling == nullptr || filling->used + rounded > kPageBytes) {
    KeptPage* page = new_page();
    if (filling != nullptr && filling->blocks == 0) release(filling);
    filling = page;
  }
  void* data = filling->data + filling->used;
  filling->used += rounded;
  ++filling->blocks;
  return {data, filling};
}

void give_back(const KeptBlock& block) noexcept {
  if (block.page == nullptr) return std::free(block.data);
  const std::lock_guard lock(mutex);
  if (--block.page->blocks > 0) return;
  if (block.page == filling) {
    filling->used = 0;
  } else {
    release(block.page);
  }
}

}  // namespace maas::detail
