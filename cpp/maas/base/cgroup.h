// The CPU quota that a container or service manager gives this process (Linux control groups, v1 and v2).
#pragma once

#include <string>

namespace maas {

// CPUs' worth of time a second, e.g. 1.5; 0 when there is no quota. The least over the process's group and
// its parents, as far as they are visible. `root` stands for "/" and is for tests.
double cgroup_cpu_quota(const std::string& root = "");

}  // namespace maas
