#include "maas/base/interrupt.h"

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <thread>

#include "maas/base/error.h"
#include "maas/base/thread_pool.h"

namespace maas {
namespace {

using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;

std::atomic<int> polls{0};
std::atomic<bool> raised{false};
std::atomic<bool> polled_elsewhere{false};
std::atomic<std::thread::id> caller{};

bool hook() {
  polls.fetch_add(1);
  if (std::this_thread::get_id() != caller.load()) polled_elsewhere.store(true);
  return raised.load();
}

class Interrupt : public ::testing::Test {
 protected:
  Interrupt() {
    std::this_thread::sleep_for(milliseconds(120));  // past the longest wait between two polls
    polls = 0;
    raised = false;
    polled_elsewhere = false;
    caller = std::this_thread::get_id();
    set_interrupt_hook(&hook);
  }
  ~Interrupt() override {
    set_interrupt_hook(nullptr);
    set_num_threads(before_);
  }

 private:
  int before_ = num_threads();
};

TEST_F(Interrupt, NoHookMeansNoInterrupt) {
  raised = true;
  set_interrupt_hook(nullptr);
  EXPECT_NO_THROW(poll_interrupt());
}

TEST_F(Interrupt, PollThrowsWhenTheHookSaysSo) {
  raised = true;
  EXPECT_THROW(poll_interrupt(), Interrupted);
}

TEST_F(Interrupt, AsksTheHookNoMoreOftenThanItsPeriod) {
  const auto begin = Clock::now();
  for (int i = 0; i < 100000; ++i) poll_interrupt();
  const auto elapsed = Clock::now() - begin;
  EXPECT_GE(polls.load(), 1);
  EXPECT_LE(polls.load(), 1 + elapsed / milliseconds(20));
}

TEST_F(Interrupt, StopsALongLoopAndSkipsItsOtherTasks) {
  for (const int threads : {1, 2, 4}) {
    set_num_threads(threads);
    raised = false;
    std::atomic<size_t> ran{0};
    std::thread user([] {
      std::this_thread::sleep_for(milliseconds(50));
      raised = true;
    });
    EXPECT_THROW(parallel_for(1 << 20,
                              [&](size_t, int) {
                                ran.fetch_add(1);
                                std::this_thread::sleep_for(milliseconds(1));
                              }),
                 Interrupted);
    user.join();
    EXPECT_LT(ran.load(), size_t{1} << 20);
  }
}

TEST_F(Interrupt, ThePoolWorksAfterwards) {
  set_num_threads(2);
  raised = true;
  EXPECT_THROW(parallel_for(100, [&](size_t, int) { std::this_thread::sleep_for(milliseconds(1)); }),
               Interrupted);
  raised = false;
  std::atomic<int> ran{0};
  parallel_for(100, [&](size_t, int) { ran.fetch_add(1); });
  EXPECT_EQ(ran.load(), 100);
}

TEST_F(Interrupt, WorkersNeverAsk) {
  set_num_threads(4);
  parallel_for(400, [&](size_t, int) {
    parallel_for(2, [&](size_t, int) { std::this_thread::sleep_for(milliseconds(1)); });
  });
  EXPECT_GE(polls.load(), 1);
  EXPECT_FALSE(polled_elsewhere.load());
}

}  // namespace
}  // namespace maas
