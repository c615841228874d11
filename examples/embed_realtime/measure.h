// What this process has asked of the system so far, and how long things took.
#pragma once

#include <sys/resource.h>

#include <algorithm>
#include <cstddef>
#include <cstdio>
#include <vector>

inline long allocated = 0;  // calls of malloc and aligned_alloc, and of what is built on them (glibc)

extern "C" {
void* __libc_malloc(size_t);
void* __libc_memalign(size_t, size_t);
void* malloc(size_t size) { return ++allocated, __libc_malloc(size); }
void* aligned_alloc(size_t alignment, size_t size) { return ++allocated, __libc_memalign(alignment, size); }
}

struct Usage {
  long allocations, faults, switches;  // page faults and context switches of this thread

  Usage operator-(const Usage& b) const {
    return {allocations - b.allocations, faults - b.faults, switches - b.switches};
  }
  void operator+=(const Usage& b) { *this = *this - (Usage{} - b); }
};

inline Usage usage() {
  rusage use;
  getrusage(RUSAGE_THREAD, &use);
  return {allocated, use.ru_minflt + use.ru_majflt, use.ru_nvcsw + use.ru_nivcsw};
}

inline void print_quantiles(std::vector<long> times) {
  std::sort(times.begin(), times.end());
  const auto quantile = [&](double q) { return times[static_cast<size_t>(q * (times.size() - 1))]; };
  std::printf("p50 %ld p99 %ld p99.9 %ld max %ld\n", quantile(0.5), quantile(0.99), quantile(0.999),
              times.back());
}
