#include "maas/base/cpu.h"

#include <algorithm>
#include <cctype>
#include <cmath>
#include <fstream>
#include <set>
#include <string>
#include <thread>
#include <utility>

#include "maas/base/cgroup.h"

#if defined(__linux__)
#include <sched.h>
#endif

namespace maas {

namespace {

const std::string kSystem = "/sys/devices/system/cpu/cpu";

std::string read_word(const std::string& path) {
  std::ifstream file(path);
  std::string word;
  file >> word;
  return word;
}

std::string model_name() {
  std::ifstream file("/proc/cpuinfo");
  for (std::string line; std::getline(file, line);) {
    const size_t colon = line.find(": ");
    if (line.rfind("model name", 0) == 0 && colon != std::string::npos) return line.substr(colon + 2);
  }
  return "";
}

int physical_cores(int hardware_threads) {
  std::set<std::pair<std::string, std::string>> cores;
  for (int cpu = 0; cpu < hardware_threads; ++cpu) {
    const std::string topology = kSystem + std::to_string(cpu) + "/topology/";
    const std::string core = read_word(topology + "core_id");
    if (!core.empty()) cores.emplace(read_word(topology + "physical_package_id"), core);
  }
  return static_cast<int>(cores.size());
}

int affinity_count() {
#if defined(__linux__)
  cpu_set_t set;  // fails on machines of more than 1024 CPUs: then the other limits decide
  if (sched_getaffinity(0, sizeof(set), &set) == 0) return CPU_COUNT(&set);
#endif
  return 0;
}

// Sizes read "48K" or "32M".
size_t parse_size(const std::string& text) {
  if (text.empty() || !std::isdigit(static_cast<unsigned char>(text[0]))) return 0;
  const size_t unit = text.back() == 'K' ? size_t{1} << 10 : text.back() == 'M' ? size_t{1} << 20 : 1;
  return std::stoul(text) * unit;
}

void read_caches(CpuFacts& facts) {
  for (int index = 0; index < 8; ++index) {
    const std::string cache = kSystem + "0/cache/index" + std::to_string(index) + "/";
    const std::string level = read_word(cache + "level");
    const size_t size = parse_size(read_word(cache + "size"));
    if (level == "1" && read_word(cache + "type") == "Data") facts.l1d_bytes = size;
    if (level == "2") facts.l2_bytes = size;
    if (level == "3") facts.l3_bytes = size;
  }
}

}  // namespace

CpuFacts cpu_facts() {
  CpuFacts facts;
  facts.model = model_name();
  facts.hardware_threads = static_cast<int>(std::thread::hardware_concurrency());
  facts.cores = physical_cores(facts.hardware_threads);
  facts.affinity = affinity_count();
  facts.cgroup_quota = cgroup_cpu_quota();
  read_caches(facts);
  return facts;
}

int usable_cpus(const CpuFacts& facts) {
  int usable = std::max(1, facts.hardware_threads);
  if (facts.affinity > 0) usable = std::min(usable, facts.affinity);
  if (facts.cgroup_quota > 0) usable = std::min(usable, static_cast<int>(std::ceil(facts.cgroup_quota)));
  return usable;
}

}  // namespace maas
