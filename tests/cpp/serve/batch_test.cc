#include "maas/serve/batch.h"

#include <gtest/gtest.h>

#include <cstring>
#include <functional>
#include <string>
#include <vector>

#include "serve/desk.h"

namespace maas::serve {
namespace {

using testing::numbers;

// Keeps its answer's bytes.
class KeptCall : public Call {
 public:
  template <class T>
  void ask(const ModelPointer& to, const std::vector<T>& rows) {
    clear();
    model = to;
    held.assign(reinterpret_cast<const char*>(rows.data()), rows.size() * sizeof(T));
    status = model->take_raw(held, request);
    ASSERT_TRUE(status.ok()) << status.text();
    status = model->bind(request, binding);
    ASSERT_TRUE(status.ok()) << status.text();
    ASSERT_TRUE(model->choose(request, wanted).ok());
  }
  void answered(std::span<const wire::Tensor> outputs) override {
    ++times;
    bytes.clear();
    for (const wire::Tensor& each : outputs)
      bytes.append(static_cast<const char*>(each.data), each.count * wire::item_size(each.type));
    if (then) std::exchange(then, {})();
  }
  std::string held, bytes;
  int times = 0;
  std::function<void()> then;  // once
};

std::string alone(const ModelPointer& model, const std::vector<float>& rows) {
  KeptCall call;
  call.ask(model, rows);
  Counters counters;
  BatchRunner runner(counters);
  Call* const calls[] = {&call};
  runner.run(calls);
  EXPECT_TRUE(call.status.ok());
  return call.bytes;
}

TEST(BatchRunner, TogetherIsAloneBitForBit) {
  const ModelPointer model = make_model("m", "1", linear_onnx());
  std::vector<KeptCall> kept(40);
  std::vector<Call*> calls;
  Counters counters;
  BatchRunner runner(counters);
  for (int round = 0; round < 3; ++round) {
    calls.clear();
    for (size_t i = 0; i < kept.size(); ++i) {
      kept[i].ask(model, numbers<float>(3 * (i % 7), static_cast<uint32_t>(i + 1)));
      calls.push_back(&kept[i]);
    }
    runner.run(calls);
    for (size_t i = 0; i < kept.size(); ++i) {
      EXPECT_EQ(kept[i].bytes, alone(model, numbers<float>(3 * (i % 7), static_cast<uint32_t>(i + 1)))) << i;
      EXPECT_EQ(kept[i].times, round + 1);
    }
  }
}

TEST(BatchRunner, AWrongRowFailsItsRequestAlone) {
  const ModelPointer model = make_model("picky", "1", picky_onnx());
  KeptCall good, bad, better;
  good.ask<int64_t>(model, {1, 3});
  bad.ask<int64_t>(model, {3, 2});
  better.ask<int64_t>(model, {3});
  Call* const calls[] = {&good, &bad, &better};
  Counters counters;
  BatchRunner runner(counters);
  runner.run(calls);
  EXPECT_TRUE(good.status.ok());
  EXPECT_FALSE(bad.status.ok());
  EXPECT_EQ(bad.status.code(), ErrorCode::kInvalidArgument);
  EXPECT_TRUE(bad.bytes.empty());
  EXPECT_TRUE(better.status.ok());
  EXPECT_EQ(good.bytes.size(), 2 * better.bytes.size());
  EXPECT_EQ(good.times + bad.times + better.times, 3);
}

// A conversation that is answered reads on at once, and its call is then the next request.
TEST(BatchRunner, ACallMayBeginAnewWhileTheBatchIsTold) {
  const ModelPointer model = make_model("m", "1", linear_onnx());
  KeptCall first, second;
  const auto a = numbers<float>(3, 1), b = numbers<float>(3, 2);
  first.ask(model, a);
  second.ask(model, b);
  std::string answer;
  first.then = [&] {
    answer = first.bytes;
    first.ask(model, numbers<float>(3 * 50, 3));  // of more rows
  };
  Call* const calls[] = {&first, &second};
  Counters counters;
  BatchRunner runner(counters);
  runner.run(calls);
  EXPECT_EQ(answer, alone(model, a));
  EXPECT_EQ(second.bytes, alone(model, b));
}

TEST(BatchRunner, ACallMayEndWhileTheBatchIsTold) {
  const ModelPointer model = make_model("m", "1", linear_onnx());
  auto first = std::make_unique<KeptCall>();
  KeptCall second;
  first->ask(model, numbers<float>(9, 1));
  const auto b = numbers<float>(3, 2);
  second.ask(model, b);
  Call* const calls[] = {first.get(), &second};
  first->then = [&] { first.reset(); };
  Counters counters;
  BatchRunner runner(counters);
  runner.run(calls);
  EXPECT_EQ(first, nullptr);
  EXPECT_EQ(second.bytes, alone(model, b));
}

TEST(BatchRunner, ForgetsModelsThatAreGone) {
  Counters counters;
  BatchRunner runner(counters);
  std::weak_ptr<const ServedModel> gone;
  for (int i = 0; i < 20; ++i) {  // the next one may lie where the last one lay
    ModelPointer model = make_model("m", std::to_string(i), linear_onnx());
    gone = model;
    KeptCall call;
    const auto x = numbers<float>(3, static_cast<uint32_t>(i));
    call.ask(model, x);
    Call* const calls[] = {&call};
    runner.run(calls);
    EXPECT_EQ(call.bytes, alone(model, x));
    call.clear();
    model.reset();
    EXPECT_TRUE(gone.expired());
    if (i % 2 == 0) runner.tidy();
  }
}

TEST(LargeRun, GivesTheSameBits) {
  const ModelPointer model = make_model("m", "1", linear_onnx());
  const auto x = numbers<float>(3 * 1000, 7);
  KeptCall call;
  call.ask(model, x);
  Counters counters;
  LargeRun run(call, counters);
  run.run();
  EXPECT_EQ(call.times, 0);
  run.tell();
  EXPECT_EQ(call.bytes, alone(model, x));
}

TEST(DeadlineStatus, CountsFromArrival) {
  KeptCall call;
  call.arrived = Clock::now();
  const auto after = [&](int us) { return call.arrived + std::chrono::microseconds(us); };
  EXPECT_TRUE(deadline_status(call, after(1 << 30)).ok()) << "none";
  call.request.timeout_us = 100;
  EXPECT_TRUE(deadline_status(call, after(100)).ok());
  EXPECT_TRUE(deadline_status(call, after(-1)).ok()) << "a time of arrival that was reckoned";
  EXPECT_EQ(deadline_status(call, after(101)).code(), ErrorCode::kDeadlineExceeded);
  for (const uint64_t far : {UINT64_MAX, uint64_t{1} << 63, uint64_t{1} << 62, uint64_t{1} << 55}) {
    call.request.timeout_us = far;
    EXPECT_TRUE(deadline_status(call, after(1 << 30)).ok()) << far;
  }
}

}  // namespace
}  // namespace maas::serve
