#include "maas/serve/process.h"

#if __has_include(<malloc.h>)
#include <malloc.h>
#endif

namespace maas::serve {

void release_large_blocks() noexcept {
#ifdef M_MMAP_THRESHOLD
  mallopt(M_MMAP_THRESHOLD, 256 << 10);
  mallopt(M_TRIM_THRESHOLD, 1 << 20);
#endif
}

void release_free_blocks() noexcept {
#ifdef M_MMAP_THRESHOLD
  malloc_trim(256 << 10);
#endif
}

}  // namespace maas::serve
