#include "maas/base/aligned.h"

#if defined(__linux__)
#include <sys/mman.h>
#endif

namespace maas {

void* allocate_aligned(size_t bytes) {
  constexpr size_t kHugePage = size_t{2} << 20;
  const size_t alignment = bytes >= 2 * kHugePage ? kHugePage : kAlignment;
  const size_t rounded = (bytes + alignment) / alignment * alignment;
  void* data = std::aligned_alloc(alignment, rounded);
  if (data == nullptr) throw std::bad_alloc();
#if defined(__linux__)
  // Advice only: where huge pages are off it changes nothing.
  if (alignment == kHugePage) madvise(data, rounded, MADV_HUGEPAGE);
#endif
  return data;
}

}  // namespace maas
