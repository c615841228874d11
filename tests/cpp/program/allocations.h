// Counts this thread's allocations: malloc, aligned_alloc and all that is built on them.
#pragma once

#include <cstddef>

namespace maas::testing {

// 0 forever where allocations cannot be counted (sanitizers bring their own allocator).
size_t allocations();
bool counts_allocations();

}  // namespace maas::testing
