// Bodies that take long or much: read elsewhere, counted, refused where there is no memory for them.
#include "maas/serve/request_body.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdio>
#include <string>
#include <thread>
#include <utility>

#include "maas/serve/http_conversation.h"
#include "maas/wire/content_coding.h"
#include "serve/desk.h"

namespace maas::serve {
namespace {

std::string post(std::string_view body, std::string_view fields = "") {
  return "POST /v2/models/m/infer HTTP/1.1\r\nHost: a\r\nContent-Length: " + std::to_string(body.size()) +
         "\r\n" + std::string(fields) + "\r\n" + std::string(body);
}

std::string packed(std::string_view bytes, wire::ContentCoding coding = wire::ContentCoding::kGzip) {
  std::string out;
  EXPECT_TRUE(wire::compress(bytes, coding, out).ok());
  return out;
}

// `rows` rows of 3 values.
std::string json(size_t rows) {
  std::string data;
  for (size_t i = 0; i < 3 * rows; ++i) {
    if (i > 0) data += ',';
    data += static_cast<char>('0' + i % 7);
    data += ".125";
  }
  return R"({"inputs":[{"name":"x","datatype":"FP32","shape":[)" + std::to_string(rows) + R"(,3],"data":[)" +
         data + "]}]}";
}

std::string body_of(std::string_view answer) {
  return std::string(answer.substr(std::min(answer.find("\r\n\r\n"), answer.size())));
}

bool is(std::string_view answer, int status) {
  return answer.starts_with("HTTP/1.1 " + std::to_string(status) + " ");
}

TEST(RequestBody, WhoeverReadsItTheAnswerIsTheSame) {
  const std::string text = json(50);
  Desk here;
  Talk<HttpConversation> plain(here);
  const std::string expected = body_of(plain.say(post(text)));
  EXPECT_NE(expected.find("\"data\":["), std::string::npos);
  EXPECT_TRUE(here.elsewhere.empty());
  const std::string gzip = packed(text), deflate = packed(text, wire::ContentCoding::kDeflate);
  char size[16];
  std::snprintf(size, sizeof(size), "%zx", gzip.size());
  const std::string chunked =
      "POST /v2/models/m/infer HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n"
      "Content-Encoding: gzip\r\n\r\n" +
      std::string(size) + "\r\n" + gzip + "\r\n0\r\n\r\n";
  for (const size_t most : {size_t{0}, size_t{10}, text.size() - 1, text.size(), size_t{1} << 20}) {
    Desk desk;
    desk.options.short_json = desk.options.short_expanded = most;
    Talk<HttpConversation> talk(desk);
    for (const std::string& message : {post(text), post(gzip, "Content-Encoding: gzip\r\n"),
                                       post(deflate, "Content-Encoding: deflate\r\n"), chunked}) {
      EXPECT_EQ(body_of(talk.say(message)), expected) << most;
    }
    EXPECT_EQ(desk.worker.load.bytes.load(), 0U);
  }
}

TEST(RequestBody, LongOnesGoElsewhereAndShortOnesAreAnsweredMeanwhile) {
  Desk desk;
  const std::string zeros(100 << 10, ' ');
  for (const std::string& message : {post(json(30000)), post(packed(zeros), "Content-Encoding: gzip\r\n"),
                                     post("x", "Content-Encoding: gzip\r\n")}) {
    HttpConversation waits(desk.worker);
    const wire::Padded bytes(message);
    EXPECT_EQ(waits.read(bytes.text()), message.size());
    EXPECT_FALSE(waits.answered());
    EXPECT_EQ(desk.elsewhere.size(), 1U);
    auto jobs = std::exchange(desk.elsewhere, {});
    Talk<HttpConversation> other(desk);
    EXPECT_TRUE(is(other.say(post(json(1))), 200));
    desk.elsewhere = std::move(jobs);
    while (!waits.answered() && desk.has_work()) desk.turn();
    EXPECT_TRUE(waits.answered());
    EXPECT_TRUE(is(waits.out(), message.size() > 10000 ? 200 : 400)) << waits.out().substr(0, 200);
  }
  EXPECT_EQ(desk.worker.load.bytes.load(), 0U);
}

TEST(RequestBody, WhatItBecomesIsCounted) {
  Desk desk;
  desk.options.large_us = 1 << 30;
  const std::string text = json(30000), gzip = packed(text);
  const std::string message = post(gzip, "Content-Encoding: gzip\r\n");
  HttpConversation conversation(desk.worker);
  const wire::Padded bytes(message);
  conversation.read(bytes.text());
  std::thread(desk.elsewhere.at(0).work).join();
  const size_t held = desk.worker.load.bytes.load();
  EXPECT_GE(held, text.size() + 4 * 3 * 30000);
  EXPECT_LE(held, 3 * text.size() + 4 * 3 * 30000);
  desk.elsewhere[0].then();
  desk.elsewhere.clear();
  desk.turn();
  ASSERT_TRUE(conversation.answered());
  EXPECT_TRUE(is(conversation.out(), 200));
  EXPECT_EQ(desk.worker.load.bytes.load(), 0U);
}

TEST(RequestBody, BeyondTheMemoryItIsTurnedAway) {
  const std::string text = json(30000);
  for (const bool zipped : {false, true}) {
    Desk desk;
    desk.options.memory_bytes = 200 << 10;
    Talk<HttpConversation> talk(desk);
    const std::string message = zipped ? post(packed(text), "Content-Encoding: gzip\r\n") : post(text);
    const std::string answer = talk.say(message);
    EXPECT_TRUE(is(answer, 429)) << answer;
    EXPECT_NE(answer.find("Retry-After: "), std::string::npos) << answer;
    EXPECT_NE(answer.find("no memory"), std::string::npos) << answer;
    EXPECT_EQ(desk.worker.load.bytes.load(), 0U);
    EXPECT_TRUE(is(talk.say(post(json(5))), 200));
    desk.worker.load.bytes = 200 << 10;  // held by others
    EXPECT_TRUE(is(talk.say(post(json(5))), 200)) << "a small one needs none of it";
    EXPECT_TRUE(is(talk.say(message), 429));
    desk.worker.load.bytes = 0;
    desk.options.memory_bytes = 64 << 20;
    desk.worker.spare_calls.clear();  // they were made with less
    Talk<HttpConversation> later(desk);
    EXPECT_TRUE(is(later.say(message), 200));
  }
}

TEST(RequestBody, BombsStopAtTheLimit) {
  Desk desk;
  const std::string bomb = packed(std::string(80 << 20, ' '));
  Talk<HttpConversation> talk(desk);
  const std::string answer = talk.say(post(bomb, "Content-Encoding: gzip\r\n"));
  EXPECT_TRUE(is(answer, 400)) << answer;
  EXPECT_NE(answer.find(std::to_string(64 << 20) + " bytes when expanded"), std::string::npos) << answer;
  EXPECT_EQ(desk.worker.load.bytes.load(), 0U);
}

}  // namespace
}  // namespace maas::serve
