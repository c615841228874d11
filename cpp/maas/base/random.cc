#include "maas/base/random.h"

#include <algorithm>
#include <numeric>
#include <string>

#include "maas/base/error.h"

namespace maas {

namespace {

inline void prefetch_for_write(const void* p) {
#if defined(__GNUC__)
  __builtin_prefetch(p, 1);
#else
  (void)p;
#endif
}

}  // namespace

// Fisher and Yates from the end. Targets do not depend on the data, so they are drawn a batch ahead and their
// lines fetched together: one by one, each swap of a large array would wait for the cache.
void random_permutation(uint64_t seed, uint64_t stream, uint32_t* out, size_t n) {
  if (n > UINT32_MAX) {
    throw_invalid("random_permutation", "expected at most 4294967295 rows, got " + std::to_string(n));
  }
  constexpr size_t kBatch = 64;
  RandomStream random(seed, stream);
  std::iota(out, out + n, uint32_t{0});
  uint32_t targets[kBatch];
  for (size_t left = n; left > 1;) {
    const size_t batch = std::min(kBatch, left - 1);
    for (size_t i = 0; i < batch; ++i) {
      targets[i] = random.below(static_cast<uint32_t>(left - i));
      prefetch_for_write(out + targets[i]);
    }
    for (size_t i = 0; i < batch; ++i) std::swap(out[--left], out[targets[i]]);
  }
}

}  // namespace maas
