// How many threads the pool uses when nobody has said.
#pragma once

namespace maas {

inline constexpr int kMaxThreads = 1024;

// First number of a list such as "4" or "4,2" (OpenMP's form), or 0 when it is not in [1, kMaxThreads].
int parse_thread_count(const char* text);

// MAAS_NUM_THREADS, else OMP_NUM_THREADS, else the CPUs this process may use (base/cpu.h). At least 1.
int default_num_threads();

}  // namespace maas
