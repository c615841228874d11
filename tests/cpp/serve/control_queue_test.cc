#include "maas/serve/control_queue.h"

#include <gtest/gtest.h>

#include <atomic>
#include <string>
#include <thread>
#include <vector>

namespace maas::serve {
namespace {

ControlRequest request(std::string body) {
  ControlRequest made;
  made.method = "GET";
  made.target = "/x";
  made.body = std::move(body);
  return made;
}

ControlReply reply(std::string body) {
  ControlReply made;
  made.body = std::move(body);
  return made;
}

TEST(ControlQueue, HandsOutInOrderAndBringsEachItsOwnAnswer) {
  ControlQueue queue(8, 1000);
  std::vector<std::string> answers(2);
  for (size_t i = 0; i < 2; ++i) {
    ASSERT_TRUE(
        queue.ask(request(std::to_string(i)), [&answers, i](ControlReply r) { answers[i] = r.body; }));
  }
  const auto first = queue.next(), second = queue.next();
  EXPECT_EQ(first->body, "0");
  EXPECT_EQ(second->body, "1");
  EXPECT_TRUE(queue.answer(second->id, reply("b")));
  EXPECT_TRUE(queue.answer(first->id, reply("a")));
  EXPECT_EQ(answers, (std::vector<std::string>{"a", "b"}));
  EXPECT_FALSE(queue.answer(first->id, reply("again")));
  EXPECT_FALSE(queue.answer(99, reply("nobody's")));
}

TEST(ControlQueue, CountsWhatIsNotAnswered) {
  ControlQueue queue(2, 1000);
  ASSERT_TRUE(queue.ask(request(""), [](ControlReply) {}));
  ASSERT_TRUE(queue.ask(request(""), [](ControlReply) {}));
  EXPECT_FALSE(queue.ask(request(""), [](ControlReply) {}));
  const auto taken = queue.next();
  EXPECT_FALSE(queue.ask(request(""), [](ControlReply) {})) << "taken, but not answered";
  queue.answer(taken->id, {});
  EXPECT_TRUE(queue.ask(request(""), [](ControlReply) {}));
}

TEST(ControlQueue, CountsBytes) {
  ControlQueue queue(100, 50);
  EXPECT_FALSE(queue.ask(request(std::string(60, 'x')), [](ControlReply) {}));
  ASSERT_TRUE(queue.ask(request(std::string(30, 'x')), [](ControlReply) {}));
  EXPECT_FALSE(queue.ask(request(std::string(30, 'x')), [](ControlReply) {}));
  queue.answer(queue.next()->id, {});
  EXPECT_TRUE(queue.ask(request(std::string(30, 'x')), [](ControlReply) {}));
}

TEST(ControlQueue, CloseWakesTheReaderAndForgetsAnswers) {
  ControlQueue queue(8, 1000);
  std::atomic<int> answers{0};
  ASSERT_TRUE(queue.ask(request(""), [&](ControlReply) { ++answers; }));
  const uint64_t id = queue.next()->id;
  std::thread reader([&] { EXPECT_FALSE(queue.next().has_value()); });
  queue.close();
  reader.join();
  EXPECT_FALSE(queue.answer(id, {}));
  EXPECT_FALSE(queue.ask(request(""), [&](ControlReply) { ++answers; }));
  EXPECT_EQ(answers, 0);
}

TEST(ControlQueue, ManyThreads) {
  ControlQueue queue(1000, 1 << 20);
  std::atomic<int> right{0};
  std::vector<std::thread> threads;
  for (int t = 0; t < 3; ++t) {
    threads.emplace_back([&, t] {
      for (int i = 0; i < 200; ++i) {
        const std::string body = std::to_string(t * 1000 + i);
        while (!queue.ask(request(body), [&right, body](ControlReply r) { right += r.body == body; }))
          std::this_thread::yield();
      }
    });
  }
  std::thread reader([&] {
    for (int i = 0; i < 600; ++i) {
      const auto taken = queue.next();
      queue.answer(taken->id, reply(taken->body));
    }
  });
  for (auto& each : threads) each.join();
  reader.join();
  EXPECT_EQ(right, 600);
}

TEST(ControlReply, FieldsThatBreakTheHeadAreLeftOut) {
  ControlReply sent;
  sent.fields = {{"Allow", "GET"},
                 {"content-length", "7"},
                 {"X-A", "b\r\nSet-Cookie: c"},
                 {"X B", "c"},
                 {"", "d"},
                 {"content-type", "text/plain"},
                 {"X-Tab", "a\tb"}};
  EXPECT_EQ(field_lines(sent), "Allow: GET\r\nX-Tab: a\tb\r\n");
  EXPECT_EQ(content_type(sent), "text/plain");
  EXPECT_EQ(content_type({}), "application/json");
}

}  // namespace
}  // namespace maas::serve
