#include "maas/base/thread_count.h"

#include <gtest/gtest.h>
#include <stdlib.h>

#include "maas/base/cpu.h"

namespace maas {
namespace {

TEST(ThreadCount, TakesTheFirstOfAList) {
  EXPECT_EQ(parse_thread_count("1"), 1);
  EXPECT_EQ(parse_thread_count("12"), 12);
  EXPECT_EQ(parse_thread_count(" 4 "), 4);
  EXPECT_EQ(parse_thread_count("4,2"), 4);
  EXPECT_EQ(parse_thread_count("4 , 2"), 4);
}

TEST(ThreadCount, IgnoresWhatIsNotACount) {
  for (const char* text : {"", " ", "0", "-2", "two", "4x", "4.5", ",4", "1025", "99999999999999999999"}) {
    EXPECT_EQ(parse_thread_count(text), 0) << text;
  }
  EXPECT_EQ(parse_thread_count(nullptr), 0);
}

TEST(ThreadCount, EnvironmentDecidesInOrder) {
  setenv("MAAS_NUM_THREADS", "3", 1);
  setenv("OMP_NUM_THREADS", "5,2", 1);
  EXPECT_EQ(default_num_threads(), 3);
  setenv("MAAS_NUM_THREADS", "lots", 1);
  EXPECT_EQ(default_num_threads(), 5);
  setenv("OMP_NUM_THREADS", "", 1);
  EXPECT_EQ(default_num_threads(), usable_cpus(cpu_facts()));
  unsetenv("MAAS_NUM_THREADS");
  unsetenv("OMP_NUM_THREADS");
}

TEST(ThreadCount, LeastOfTheLimits) {
  EXPECT_EQ(usable_cpus({}), 1);
  EXPECT_EQ(usable_cpus({.hardware_threads = 8}), 8);
  EXPECT_EQ(usable_cpus({.hardware_threads = 8, .affinity = 3}), 3);
  EXPECT_EQ(usable_cpus({.hardware_threads = 8, .affinity = 3, .cgroup_quota = 1.5}), 2);
  EXPECT_EQ(usable_cpus({.hardware_threads = 8, .affinity = 3, .cgroup_quota = 0.1}), 1);
  EXPECT_EQ(usable_cpus({.hardware_threads = 2, .affinity = 3, .cgroup_quota = 64}), 2);
}

}  // namespace
}  // namespace maas
