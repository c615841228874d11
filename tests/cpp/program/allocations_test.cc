#include "program/allocations.h"

#include <gtest/gtest.h>

#include <cstdlib>

#include "maas/base/aligned.h"

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define MAAS_COUNTS_ALLOCATIONS 0
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define MAAS_COUNTS_ALLOCATIONS 0
#endif
#endif
#if !defined(MAAS_COUNTS_ALLOCATIONS) && defined(__GLIBC__)
#define MAAS_COUNTS_ALLOCATIONS 1
#endif

namespace {
thread_local size_t count = 0;
}  // namespace

#if MAAS_COUNTS_ALLOCATIONS
extern "C" {
void* __libc_malloc(size_t);
void* __libc_memalign(size_t, size_t);

// In place of the C library's, for the whole test binary.
__attribute__((visibility("default"))) void* malloc(size_t size) {
  ++count;
  return __libc_malloc(size);
}
__attribute__((visibility("default"))) void* aligned_alloc(size_t alignment, size_t size) {
  ++count;
  return __libc_memalign(alignment, size);
}
}
#endif

namespace maas::testing {

size_t allocations() { return count; }
bool counts_allocations() {
#if MAAS_COUNTS_ALLOCATIONS
  return true;
#else
  return false;
#endif
}

namespace {

TEST(Allocations, AreCounted) {
  if (!counts_allocations()) GTEST_SKIP() << "another allocator";
  const size_t before = allocations();
  ::operator delete(::operator new(3));  // a new-expression may be optimized away
  EXPECT_GT(allocations(), before);
  const size_t between = allocations();
  const AlignedBuffer<float> buffer(100);
  EXPECT_GT(allocations(), between);
}

}  // namespace
}  // namespace maas::testing
