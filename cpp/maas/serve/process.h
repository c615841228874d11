// Memory that the allocator keeps though nobody uses it.
#pragma once

namespace maas::serve {

// For a process that only serves: from now on large blocks of memory go back to the system as soon as they
// are freed. glibc would keep them: it raises its bound for what is "large" to the largest block that was
// ever freed, up to 32 MB.
void release_large_blocks() noexcept;

// Gives back what lies free between blocks that are in use. Takes milliseconds, in which other threads may
// wait for memory.
void release_free_blocks() noexcept;

}  // namespace maas::serve
