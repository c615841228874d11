// Facts about the CPUs under this process. Zero or empty where the system does not tell.
#pragma once

#include <cstddef>
#include <string>

namespace maas {

struct CpuFacts {
  std::string model{};       // "AMD EPYC 9B14"
  int hardware_threads = 0;  // online in the machine
  int cores = 0;             // physical
  int affinity = 0;          // CPUs the scheduler may put this thread on
  double cgroup_quota = 0;   // CPUs' worth of time; 0: no limit
  size_t l1d_bytes = 0;      // of one core
  size_t l2_bytes = 0;
  size_t l3_bytes = 0;  // of the first core's cluster
};

// Reads them anew: affinity and quota may change while a process runs.
CpuFacts cpu_facts();

// The least of hardware threads, affinity and quota (rounded up: a quota of 1.5 keeps two threads busy for
// three quarters of the time, which beats one). At least 1.
int usable_cpus(const CpuFacts& facts);

}  // namespace maas
