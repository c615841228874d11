// How many connections the system lets this process have.
#pragma once

#include <sys/resource.h>

#include <algorithm>
#include <cstddef>

namespace maas::serve {

inline constexpr size_t kForHealth = 32;    // connections above the limit, told so, or that all is well
inline constexpr size_t kOtherFiles = 128;  // descriptors for the rest of the process

// As many as are wanted, or as descriptors allow, as they are limited now.
inline size_t most_connections(size_t wanted) {
  rlimit files;
  if (getrlimit(RLIMIT_NOFILE, &files) != 0 || files.rlim_cur == RLIM_INFINITY) return wanted;
  const size_t others = kOtherFiles + kForHealth;
  const size_t left = files.rlim_cur > 2 * others ? files.rlim_cur - others : files.rlim_cur / 2;
  return std::min(wanted, left);
}

}  // namespace maas::serve
