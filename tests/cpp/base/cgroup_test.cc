#include "maas/base/cgroup.h"

#include <gtest/gtest.h>
#include <stdlib.h>

#include <filesystem>
#include <fstream>
#include <string>

namespace maas {
namespace {

namespace fs = std::filesystem;

// A made-up "/" with the files of one situation.
class Cgroup : public ::testing::Test {
 protected:
  ~Cgroup() override { fs::remove_all(root_); }
  void write(const std::string& path, const std::string& text) {
    fs::create_directories((root_ / path).parent_path());
    std::ofstream(root_ / path) << text;
  }
  double quota() const { return cgroup_cpu_quota(root_.string()); }

 private:
  fs::path root_ = [] {
    std::string name = (fs::temp_directory_path() / "maas_cgroup_XXXXXX").string();
    return fs::path(mkdtemp(name.data()));
  }();
};

constexpr char kMountV2[] =
    "30 23 0:26 / /sys/fs/cgroup rw,nosuid shared:4 - cgroup2 cgroup2 rw,nsdelegate\n";
constexpr char kMountsV1[] =
    "24 18 0:20 / /sys/fs/cgroup ro - tmpfs tmpfs ro,mode=755\n"
    "31 24 0:27 / /sys/fs/cgroup/cpuset rw shared:9 - cgroup cgroup rw,cpuset\n"
    "32 24 0:28 / /sys/fs/cgroup/cpu,cpuacct rw shared:10 - cgroup cgroup rw,cpu,cpuacct\n";

TEST_F(Cgroup, NothingMountedMeansNoQuota) { EXPECT_EQ(quota(), 0); }

TEST_F(Cgroup, V2WithoutLimit) {
  write("proc/self/mountinfo", kMountV2);
  write("proc/self/cgroup", "0::/user.slice\n");
  write("sys/fs/cgroup/user.slice/cpu.max", "max 100000\n");
  EXPECT_EQ(quota(), 0);
}

TEST_F(Cgroup, V2OwnLimit) {
  write("proc/self/mountinfo", kMountV2);
  write("proc/self/cgroup", "0::/app.slice/fit.service\n");
  write("sys/fs/cgroup/app.slice/cpu.max", "max 100000\n");
  write("sys/fs/cgroup/app.slice/fit.service/cpu.max", "150000 100000\n");
  EXPECT_DOUBLE_EQ(quota(), 1.5);
}

TEST_F(Cgroup, V2ParentsLimitCounts) {
  write("proc/self/mountinfo", kMountV2);
  write("proc/self/cgroup", "0::/app.slice/fit.service\n");
  write("sys/fs/cgroup/app.slice/cpu.max", "50000 100000\n");
  write("sys/fs/cgroup/app.slice/fit.service/cpu.max", "400000 100000\n");
  EXPECT_DOUBLE_EQ(quota(), 0.5);
}

TEST_F(Cgroup, V2InsideANamespace) {
  write("proc/self/mountinfo", kMountV2);
  write("proc/self/cgroup", "0::/\n");
  write("sys/fs/cgroup/cpu.max", "200000 100000\n");
  EXPECT_DOUBLE_EQ(quota(), 2);
}

TEST_F(Cgroup, V1WithoutLimit) {
  write("proc/self/mountinfo", kMountsV1);
  write("proc/self/cgroup", "5:cpuset:/\n4:cpu,cpuacct:/\n");
  write("sys/fs/cgroup/cpu,cpuacct/cpu.cfs_quota_us", "-1\n");
  write("sys/fs/cgroup/cpu,cpuacct/cpu.cfs_period_us", "100000\n");
  EXPECT_EQ(quota(), 0);
}

TEST_F(Cgroup, V1OwnLimit) {
  write("proc/self/mountinfo", kMountsV1);
  write("proc/self/cgroup", "5:cpuset:/other\n4:cpu,cpuacct:/jobs/fit\n");
  write("sys/fs/cgroup/cpu,cpuacct/jobs/fit/cpu.cfs_quota_us", "25000\n");
  write("sys/fs/cgroup/cpu,cpuacct/jobs/fit/cpu.cfs_period_us", "10000\n");
  EXPECT_DOUBLE_EQ(quota(), 2.5);
}

// Docker on a v1 host: the group's name is the host's, the mount shows that group as its root.
TEST_F(Cgroup, V1InsideAContainer) {
  write("proc/self/mountinfo", "32 24 0:28 /docker/abc /sys/fs/cgroup/cpu ro - cgroup cgroup rw,cpu\n");
  write("proc/self/cgroup", "4:cpu:/docker/abc\n");
  write("sys/fs/cgroup/cpu/cpu.cfs_quota_us", "100000\n");
  write("sys/fs/cgroup/cpu/cpu.cfs_period_us", "100000\n");
  EXPECT_DOUBLE_EQ(quota(), 1);
}

TEST_F(Cgroup, BrokenFilesMeanNoQuota) {
  write("proc/self/mountinfo", std::string("garbage\n\n1 2 -\n") + kMountV2);
  write("proc/self/cgroup", "garbage\n0:\n0::/../../etc\n");
  write("sys/fs/cgroup/cpu.max", "fast 0\n");
  EXPECT_EQ(quota(), 0);
}

TEST(CgroupHere, IsNoError) { EXPECT_GE(cgroup_cpu_quota(), 0); }

}  // namespace
}  // namespace maas
