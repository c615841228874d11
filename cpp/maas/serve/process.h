// What a process that only serves does to itself. A program that serves besides other work is left as it is.
#pragma once

namespace maas::serve {

// From now on large blocks of memory go back to the system as soon as they are freed. glibc would keep them:
// it raises its bound for what is "large" to the largest block that was ever freed, up to 32 MB.
void release_large_blocks() noexcept;

}  // namespace maas::serve
