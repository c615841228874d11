#include "maas/base/cgroup.h"

#include <algorithm>
#include <fstream>
#include <sstream>
#include <vector>

namespace maas {

namespace {

// Where a hierarchy is mounted and which of its groups appears there.
struct Mount {
  std::string group;
  std::string folder;
  bool found() const { return !folder.empty(); }
};

struct Mounts {
  Mount v1;  // the one with the cpu controller
  Mount v2;
};

bool list_has(const std::string& comma_list, const std::string& word) {
  std::istringstream list(comma_list);
  for (std::string item; std::getline(list, item, ',');) {
    if (item == word) return true;
  }
  return false;
}

// Lines of mountinfo: "id parent major:minor group folder options [tags…] - type source super_options".
Mounts read_mounts(const std::string& root) {
  Mounts mounts;
  std::ifstream file(root + "/proc/self/mountinfo");
  for (std::string line; std::getline(file, line);) {
    const size_t dash = line.find(" - ");
    if (dash == std::string::npos) continue;
    std::istringstream head(line.substr(0, dash)), tail(line.substr(dash + 3));
    std::string skip, type, super_options;
    Mount mount;
    head >> skip >> skip >> skip >> mount.group >> mount.folder;
    tail >> type >> skip >> super_options;
    if (type == "cgroup2") mounts.v2 = mount;
    if (type == "cgroup" && list_has(super_options, "cpu")) mounts.v1 = mount;
  }
  return mounts;
}

// Lines of /proc/self/cgroup: "0::group" for v2, "number:controllers:group" for v1.
std::string own_group(const std::string& root, bool v2) {
  std::ifstream file(root + "/proc/self/cgroup");
  for (std::string line; std::getline(file, line);) {
    const size_t first = line.find(':');
    const size_t second = line.find(':', first + 1);
    if (first == std::string::npos || second == std::string::npos) continue;
    const std::string controllers = line.substr(first + 1, second - first - 1);
    if (v2 ? controllers.empty() : list_has(controllers, "cpu")) return line.substr(second + 1);
  }
  return "";
}

double quota_v2(const std::string& folder) {
  std::ifstream file(folder + "/cpu.max");  // "max 100000" or "150000 100000", microseconds
  double quota = 0, period = 0;
  return file >> quota >> period && quota > 0 && period > 0 ? quota / period : 0;
}

double quota_v1(const std::string& folder) {
  std::ifstream quota_file(folder + "/cpu.cfs_quota_us"), period_file(folder + "/cpu.cfs_period_us");
  double quota = 0, period = 0;  // a quota of -1 means none
  return quota_file >> quota && period_file >> period && quota > 0 && period > 0 ? quota / period : 0;
}

// Folders from the mount point down to the process's group, as far as the mount shows them.
std::vector<std::string> group_folders(const std::string& root, const Mount& mount, std::string group) {
  if (mount.group != "/") {  // a container whose mount begins below the host's root
    if (group.rfind(mount.group, 0) != 0) group.clear();
    group.erase(0, mount.group.size());
  }
  std::string folder = root + mount.folder;
  std::vector<std::string> folders{folder};
  std::istringstream parts(group);
  for (std::string part; std::getline(parts, part, '/');) {
    if (part.empty() || part == "..") continue;
    folder += "/" + part;
    folders.push_back(folder);
  }
  return folders;
}

}  // namespace

double cgroup_cpu_quota(const std::string& root) {
  const Mounts mounts = read_mounts(root);
  double least = 0;
  for (const bool v2 : {false, true}) {
    const Mount& mount = v2 ? mounts.v2 : mounts.v1;
    if (!mount.found()) continue;
    for (const auto& folder : group_folders(root, mount, own_group(root, v2))) {
      const double quota = v2 ? quota_v2(folder) : quota_v1(folder);
      if (quota > 0) least = least > 0 ? std::min(least, quota) : quota;
    }
  }
  return least;
}

}  // namespace maas
