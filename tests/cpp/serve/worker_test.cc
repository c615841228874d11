#include "maas/serve/worker.h"

#include <gtest/gtest.h>

#include <functional>
#include <string>
#include <vector>

#include "serve/desk.h"

namespace maas::serve {
namespace {

struct CountedCall : Call {
  void ask(Desk& desk, const char* name, std::string_view bytes) {
    clear();
    model = *desk.worker.models.find(name, "");
    arrived = Clock::now();
    ASSERT_TRUE(model->take_raw(bytes, request).ok());
    ASSERT_TRUE(model->bind(request, binding).ok());
    ASSERT_TRUE(model->choose(request, wanted).ok());
  }
  void answered(std::span<const wire::Tensor> tensors) override {
    ++times;
    rows = tensors.empty() ? 0 : tensors[0].shape[0];
    if (then) std::exchange(then, {})();
  }
  int times = 0;
  int64_t rows = 0;
  std::function<void()> then;
};

const std::string kZeros(12 * 5000, '\0');
std::string_view rows_of_m(size_t rows) { return std::string_view(kZeros).substr(0, 12 * rows); }

TEST(Worker, AnswersAllOfAWakeUpAndSchedulesOnce) {
  Desk desk;
  std::vector<CountedCall> calls(10);
  for (auto& call : calls) {
    call.ask(desk, "m", rows_of_m(2));
    desk.worker.add(call);
    EXPECT_EQ(call.times, 0);
  }
  EXPECT_EQ(desk.scheduled.size(), 1U);
  desk.turn();
  for (const auto& call : calls) EXPECT_EQ(call.rows, 2);
  EXPECT_TRUE(desk.scheduled.empty());
}

TEST(Worker, MixesModels) {
  Desk desk;
  const int64_t known = 1, unknown = 2;
  CountedCall m, picky, wrong, more;
  m.ask(desk, "m", rows_of_m(1));
  picky.ask(desk, "picky", {reinterpret_cast<const char*>(&known), 8});
  wrong.ask(desk, "picky", {reinterpret_cast<const char*>(&unknown), 8});
  more.ask(desk, "m", rows_of_m(3));
  for (CountedCall* call : {&m, &picky, &wrong, &more}) desk.worker.add(*call);
  desk.turn();
  EXPECT_EQ(m.rows, 1);
  EXPECT_EQ(picky.rows, 1);
  EXPECT_FALSE(wrong.status.ok());
  EXPECT_EQ(more.rows, 3);
}

TEST(Worker, RunsAtOnceWhatIsEnoughForABatch) {
  Desk desk;
  desk.options.batch_rows = 6;
  CountedCall first, second;
  first.ask(desk, "m", rows_of_m(3));
  second.ask(desk, "m", rows_of_m(3));
  desk.worker.add(first);
  desk.worker.add(second);
  EXPECT_EQ(first.rows + second.rows, 6);
  desk.turn();  // the one that was scheduled finds nothing
  EXPECT_EQ(first.times + second.times, 2);
  CountedCall third;  // and is scheduled anew
  third.ask(desk, "m", rows_of_m(1));
  desk.worker.add(third);
  desk.turn();
  EXPECT_EQ(third.times, 1);
}

TEST(Worker, WhatAnAnswerAsksRunsNext) {
  Desk desk;
  desk.options.batch_rows = 4;
  CountedCall call;
  int asked = 0;
  std::function<void()> again = [&] {
    if (++asked == 5) return;
    call.ask(desk, "m", rows_of_m(4));  // a whole batch, while one is told
    call.then = again;
    desk.worker.add(call);
  };
  call.ask(desk, "m", rows_of_m(1));
  call.then = again;
  desk.worker.add(call);
  for (int i = 0; i < 5; ++i) {
    EXPECT_EQ(call.times, i);
    desk.turn();
  }
  EXPECT_EQ(call.times, 5);
  EXPECT_TRUE(desk.scheduled.empty());
}

TEST(Worker, ADeadlineThatPassedIsToldAndNotRun) {
  Desk desk;
  CountedCall late, fine;
  late.ask(desk, "m", rows_of_m(1));
  late.request.timeout_us = 1000;
  late.arrived -= std::chrono::milliseconds(2);
  fine.ask(desk, "m", rows_of_m(1));
  fine.request.timeout_us = 60'000'000;
  desk.worker.add(late);
  desk.worker.add(fine);
  desk.turn();
  EXPECT_EQ(late.status.code(), ErrorCode::kDeadlineExceeded);
  EXPECT_EQ(late.times, 1);
  EXPECT_EQ(fine.rows, 1);
}

TEST(Worker, LargeCallsGoElsewhereOrAreRefused) {
  Desk desk;
  desk.options.large_us = 0;
  CountedCall call;
  call.ask(desk, "m", rows_of_m(5000));
  desk.worker.add(call);
  EXPECT_EQ(call.times, 0);
  ASSERT_EQ(desk.large.size(), 1U);
  EXPECT_TRUE(desk.scheduled.empty());
  desk.large[0]->run();
  desk.large[0]->tell();
  EXPECT_EQ(call.rows, 5000);
  desk.takes_large = false;
  call.ask(desk, "m", rows_of_m(5000));
  desk.worker.add(call);
  EXPECT_EQ(call.status.code(), ErrorCode::kOverloaded);
  EXPECT_EQ(call.times, 2);
}

TEST(Worker, ALargeCallMayBeTooLate) {
  Desk desk;
  desk.options.large_us = 0;
  CountedCall call;
  call.ask(desk, "m", rows_of_m(5000));
  call.request.timeout_us = 1;
  call.arrived -= std::chrono::seconds(1);
  desk.worker.add(call);
  desk.large[0]->run();
  desk.large[0]->tell();
  EXPECT_EQ(call.status.code(), ErrorCode::kDeadlineExceeded);
}

TEST(Worker, WaitsAsLongAsItIsToldForMoreToJoin) {
  Desk desk;
  EXPECT_EQ(desk.worker.patience().count(), 0);
  desk.options.batch_wait_us = 500;
  CountedCall first, second;
  first.ask(desk, "m", rows_of_m(1));
  second.ask(desk, "m", rows_of_m(2));
  second.request.timeout_us = 1000;
  desk.worker.add(first);
  desk.worker.add(second);
  EXPECT_EQ(desk.scheduled.size(), 1U);
  EXPECT_EQ(desk.worker.patience().count(), 500);
  desk.turn();
  EXPECT_EQ(first.rows + second.rows, 3);
}

TEST(Worker, DoesNotWaitWhereADeadlineIsNear) {
  Desk desk;
  desk.options.batch_wait_us = 500;
  CountedCall calm, hurried, third;
  for (CountedCall* call : {&calm, &hurried, &third}) call->ask(desk, "m", rows_of_m(1));
  hurried.request.timeout_us = third.request.timeout_us = 999;
  desk.worker.add(calm);
  EXPECT_EQ(desk.worker.patience().count(), 500);
  desk.worker.add(hurried);
  EXPECT_EQ(desk.worker.patience().count(), 0);
  EXPECT_EQ(desk.scheduled.size(), 2U) << "once more, at once";
  desk.worker.add(third);
  EXPECT_EQ(desk.scheduled.size(), 2U);
  desk.turn();
  EXPECT_EQ(calm.times + hurried.times + third.times, 3);
  EXPECT_EQ(desk.worker.patience().count(), 500);
}

}  // namespace
}  // namespace maas::serve
