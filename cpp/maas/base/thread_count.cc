#include "maas/base/thread_count.h"

#include <algorithm>
#include <cctype>
#include <cstdlib>

#include "maas/base/cpu.h"

namespace maas {

int parse_thread_count(const char* text) {
  if (text == nullptr) return 0;
  char* end = nullptr;
  const long count = std::strtol(text, &end, 10);
  while (std::isspace(static_cast<unsigned char>(*end))) ++end;
  const bool whole = end != text && (*end == '\0' || *end == ',');
  return whole && count >= 1 && count <= kMaxThreads ? static_cast<int>(count) : 0;
}

int default_num_threads() {
  for (const char* name : {"MAAS_NUM_THREADS", "OMP_NUM_THREADS"}) {
    if (const int count = parse_thread_count(std::getenv(name))) return count;
  }
  return std::min(usable_cpus(cpu_facts()), kMaxThreads);
}

}  // namespace maas
