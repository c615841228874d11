#include "maas/base/thread_pool.h"

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <numeric>
#include <set>
#include <stdexcept>
#include <thread>
#include <vector>

#include "maas/base/error.h"

namespace maas {
namespace {

class ThreadPool : public ::testing::Test {
 protected:
  ~ThreadPool() override { set_num_threads(before_); }

 private:
  int before_ = num_threads();
};

// Runs `tasks` tasks and expects each to have run exactly once, none beside another of its worker number.
void expect_each_task_once(size_t tasks) {
  std::vector<int> runs(tasks, 0);  // a place a task: the thread sanitizer sees any overlap
  std::vector<std::atomic<int>> inside(static_cast<size_t>(num_threads()));
  parallel_for(tasks, [&](size_t task, int worker) {
    EXPECT_EQ(inside.at(static_cast<size_t>(worker)).fetch_add(1), 0);
    ++runs[task];
    inside[static_cast<size_t>(worker)].fetch_sub(1);
  });
  EXPECT_EQ(runs, std::vector<int>(tasks, 1));
}

void sleep_ms(int ms) { std::this_thread::sleep_for(std::chrono::milliseconds(ms)); }

TEST_F(ThreadPool, RunsEachTaskOnce) {
  for (const int threads : {1, 2, 4, 7}) {
    set_num_threads(threads);
    for (const size_t tasks : {0, 1, 2, 3, 64, 1000}) expect_each_task_once(tasks);
  }
}

TEST_F(ThreadPool, RefusesImpossibleThreadCounts) {
  for (const int n : {0, -1, 1 << 20}) EXPECT_THROW(set_num_threads(n), Error) << n;
}

TEST_F(ThreadPool, UsesAllThreadsAndNoMore) {
  set_num_threads(6);
  expect_each_task_once(64);  // workers beyond the later limit exist
  for (const int threads : {3, 4}) {
    set_num_threads(threads);
    std::vector<std::thread::id> ids(static_cast<size_t>(threads));
    // Each task waits until every thread has one, so all must come.
    std::atomic<int> here{0};
    parallel_for(static_cast<size_t>(threads), [&](size_t task, int) {
      ids[task] = std::this_thread::get_id();
      here.fetch_add(1);
      while (here.load() < threads) std::this_thread::yield();
    });
    EXPECT_EQ(std::set<std::thread::id>(ids.begin(), ids.end()).size(), ids.size());
  }
}

TEST_F(ThreadPool, StressManySmallJobs) {
  std::vector<size_t> out(16);
  for (size_t round = 0; round < 20000; ++round) {
    if (round % 1000 == 0) set_num_threads(1 + static_cast<int>(round / 1000 % 4));
    parallel_for(out.size(), [&](size_t task, int) { out[task] = round + task; });
    for (size_t task = 0; task < out.size(); ++task) ASSERT_EQ(out[task], round + task);
  }
}

TEST_F(ThreadPool, WorkersSleepAndWakeAgain) {
  set_num_threads(4);
  for (int round = 0; round < 20; ++round) {
    expect_each_task_once(32);
    sleep_ms(2);  // longer than any spin
  }
}

TEST_F(ThreadPool, FirstExceptionReachesTheCallerAndSkipsTheRest) {
  for (const int threads : {1, 2, 4}) {
    set_num_threads(threads);
    for (int round = 0; round < 100; ++round) {
      std::atomic<int> ran{0};
      try {
        parallel_for(1 << 20, [&](size_t task, int) {
          ran.fetch_add(1);
          if (task == 3) throw std::out_of_range("three");
        });
        FAIL() << "no exception";
      } catch (const std::out_of_range& e) {
        EXPECT_STREQ(e.what(), "three");
      }
      EXPECT_LT(ran.load(), 1 << 20);
    }
    expect_each_task_once(100);
  }
}

TEST_F(ThreadPool, ExceptionsOfWorkersReachTheCaller) {
  set_num_threads(4);
  const auto caller = std::this_thread::get_id();
  std::atomic<bool> thrown{false};
  EXPECT_THROW(parallel_for(4,
                            [&](size_t, int) {
                              if (std::this_thread::get_id() != caller) {
                                thrown.store(true);
                                throw std::runtime_error("worker");
                              }
                              while (!thrown.load()) sleep_ms(1);  // a worker comes, however late
                            }),
               std::runtime_error);
}

TEST_F(ThreadPool, NestedCallsRunInline) {
  set_num_threads(4);
  std::atomic<int> inner{0};
  parallel_for(8, [&](size_t, int) {
    const auto outer = std::this_thread::get_id();
    parallel_for(8, [&](size_t, int worker) {
      EXPECT_EQ(worker, 0);
      EXPECT_EQ(std::this_thread::get_id(), outer);
      inner.fetch_add(1);
    });
  });
  EXPECT_EQ(inner.load(), 64);
}

TEST_F(ThreadPool, ConcurrentCallersAllFinish) {
  set_num_threads(3);
  std::vector<std::thread> callers;
  std::vector<size_t> sums(4, 0);
  for (size_t& sum : sums) {
    callers.emplace_back([&sum] {
      for (size_t round = 0; round < 500; ++round) {
        std::vector<size_t> out(20);
        parallel_for(out.size(), [&](size_t task, int) { out[task] = task; });
        sum += std::accumulate(out.begin(), out.end(), size_t{0});
      }
    });
  }
  for (auto& caller : callers) caller.join();
  for (const size_t sum : sums) EXPECT_EQ(sum, 500u * 190u);
}

// The status of a child that runs `body` and must end by itself within a minute.
template <class Body>
int status_of_fork(Body body) {
  const pid_t child = fork();
  if (child == 0) {
    alarm(60);
    body();
    _exit(::testing::Test::HasFailure() ? 1 : 0);
  }
  int status = -1;
  waitpid(child, &status, 0);
  return status;
}

// The thread sanitizer's run-time cannot start threads in a child of a process that has some.
#if defined(__SANITIZE_THREAD__)
constexpr bool kThreadsAfterFork = false;
#elif defined(__has_feature)
constexpr bool kThreadsAfterFork = !__has_feature(thread_sanitizer);
#else
constexpr bool kThreadsAfterFork = true;
#endif

TEST_F(ThreadPool, WorksInAForkedChild) {
  if (!kThreadsAfterFork) GTEST_SKIP();
  set_num_threads(3);
  expect_each_task_once(100);
  EXPECT_EQ(status_of_fork([] { expect_each_task_once(100); }), 0);
  expect_each_task_once(100);
}

TEST_F(ThreadPool, WorksInAChildForkedWhileAnotherThreadUsesThePool) {
  if (!kThreadsAfterFork) GTEST_SKIP();
  set_num_threads(3);
  std::atomic<bool> started{false}, finish{false};
  std::thread other([&] {
    parallel_for(64, [&](size_t, int) {
      started.store(true);
      while (!finish.load()) sleep_ms(1);
    });
  });
  while (!started.load()) sleep_ms(1);
  EXPECT_EQ(status_of_fork([] {
              set_num_threads(2);
              std::atomic<int> here{0};
              parallel_for(2, [&](size_t, int) {  // ends only if the child has a worker of its own
                here.fetch_add(1);
                while (here.load() < 2) sleep_ms(1);
              });
            }),
            0);
  finish.store(true);
  other.join();
}

TEST_F(ThreadPool, AForkInsideATaskEndsInBothProcesses) {
  if (!kThreadsAfterFork) GTEST_SKIP();
  set_num_threads(2);
  const auto caller = std::this_thread::get_id();
  int status = 0;
  parallel_for(8, [&](size_t, int) {
    if (std::this_thread::get_id() == caller) status |= status_of_fork([] { expect_each_task_once(10); });
    sleep_ms(1);
  });
  EXPECT_EQ(status, 0);
}

}  // namespace
}  // namespace maas
