#include "maas/serve/http_conversation.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "maas/wire/content_coding.h"
#include "serve/desk.h"

namespace maas::serve {
namespace {

std::string post(std::string_view path, std::string_view body, std::string_view fields = "") {
  return "POST " + std::string(path) + " HTTP/1.1\r\nHost: h\r\n" + std::string(fields) +
         "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" + std::string(body);
}

std::string get(std::string_view path, std::string_view fields = "") {
  return "GET " + std::string(path) + " HTTP/1.1\r\nHost: h\r\n" + std::string(fields) + "\r\n";
}

constexpr std::string_view kInfer = "/v2/models/m/infer";
constexpr std::string_view kOneRow =
    R"({"inputs":[{"name":"x","datatype":"FP32","shape":[1,3],"data":[0.5,-1,2]}]})";

std::string chunked(std::string_view body, size_t piece) {
  std::string out = "POST /v2/models/m/infer HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n";
  for (size_t at = 0; at < body.size(); at += piece) {
    const std::string_view part = body.substr(at, piece);
    char size[16];
    std::snprintf(size, sizeof(size), "%zx\r\n", part.size());
    out += size + std::string(part) + "\r\n";
  }
  return out + "0\r\n\r\n";
}

// Without the line that changes each second.
std::string undated(std::string text) {
  for (size_t at = text.find("\r\nDate: "); at != std::string::npos; at = text.find("\r\nDate: "))
    text.erase(at, text.find("\r\n", at + 2) - at);
  return text;
}

size_t count(std::string_view text, std::string_view part) {
  size_t found = 0;
  for (size_t at = text.find(part); at != text.npos; at = text.find(part, at + 1)) ++found;
  return found;
}

TEST(HttpConversation, EveryMessageCutAnywhereWithTheNextBehindIt) {
  const std::string raw(24, '\0');
  const std::string messages[] = {
      post(kInfer, kOneRow),
      post(kInfer, raw, "Inference-Header-Content-Length: 0\r\n"),
      chunked(kOneRow, 7),
      get("/v2/health/ready"),
      get("/v2/models/m"),
      get("/v2/models/nobody/ready"),
      post("/v2/models/picky/infer",
           R"({"inputs":[{"name":"x","datatype":"INT64","shape":[1,1],"data":[2]}]})"),
      post(kInfer, "{\"inputs\":"),
      "HEAD /v2 HTTP/1.1\r\nHost: h\r\n\r\n",
      get("/elsewhere"),
  };
  Desk desk;
  const std::string next = get("/v2/health/live");
  for (const std::string& message : messages) {
    std::string whole;
    {
      Talk<HttpConversation> talk(desk);
      whole = undated(talk.say(message) + talk.say(next));
    }
    EXPECT_EQ(count(whole, "HTTP/1.1 "), 2U) << whole;
    const std::string sent = message + next;
    for (size_t cut = 0; cut <= sent.size(); ++cut) {
      Talk<HttpConversation> talk(desk);
      std::string answers = talk.say(std::string_view(sent).substr(0, cut));
      answers += talk.say(std::string_view(sent).substr(cut));
      EXPECT_EQ(undated(answers), whole) << message << cut;
    }
    Talk<HttpConversation> talk(desk);
    EXPECT_EQ(undated(talk.say_byte_by_byte(sent)), whole) << message;
  }
}

TEST(HttpConversation, AnswersInOrderOfTheRequests) {
  Desk desk;
  desk.options.large_us = 0;
  const std::string large =
      post(kInfer, std::string(12 * 3000, '\0'), "Inference-Header-Content-Length: 0\r\n");
  HttpConversation conversation(desk.worker);
  bool woken = false;
  conversation.when_answered([&] { woken = true; });
  const std::string sent = large + get("/v2/health/live");
  const wire::Padded padded(sent);
  EXPECT_EQ(conversation.read(padded.text()), sent.size());
  EXPECT_FALSE(conversation.answered());
  ASSERT_EQ(desk.large.size(), 1U);
  desk.large[0]->run();
  EXPECT_FALSE(woken);
  desk.large[0]->tell();
  EXPECT_TRUE(woken);
  EXPECT_TRUE(conversation.answered());
  EXPECT_LT(conversation.out().find("octet-stream"), conversation.out().find("\"live\":true"));
}

TEST(HttpConversation, MoreRequestsThanOneReadTakes) {
  Desk desk;
  Talk<HttpConversation> talk(desk);
  std::string sent;
  const size_t many = 3 * desk.options.pipelined + 5;
  for (size_t i = 0; i < many; ++i) sent += post(kInfer, kOneRow);
  EXPECT_EQ(count(talk.say(sent), "HTTP/1.1 200 OK"), many);
}

TEST(HttpConversation, ContinueComesBehindEarlierAnswers) {
  Desk desk;
  const std::string waits =
      "POST /v2/models/m/infer HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\nContent-Length: " +
      std::to_string(kOneRow.size()) + "\r\n\r\n";
  for (const std::string& before : {std::string(), get("/v2/health/live"), post(kInfer, kOneRow)}) {
    Talk<HttpConversation> talk(desk);
    const std::string answers = talk.say(before + waits);
    EXPECT_TRUE(answers.ends_with("HTTP/1.1 100 Continue\r\n\r\n")) << answers;
    EXPECT_TRUE(talk.say(kOneRow).starts_with("HTTP/1.1 200 OK"));
  }
}

TEST(HttpConversation, WhatIsNoHttpIsAnsweredAndEnds) {
  Desk desk;
  for (const std::string& wrong :
       {std::string("\x16\x03\x01\x02\r\n\r\n"), std::string("GET /v2 HTTP/9.9\r\n\r\n"),
        std::string("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: -1\r\n\r\n"),
        std::string("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 99999999999\r\n\r\n"),
        std::string("GET /") + std::string(20000, 'a')}) {
    Talk<HttpConversation> talk(desk);
    const std::string answers = talk.say(get("/v2/health/live") + wrong);
    EXPECT_EQ(count(answers, "\r\nDate: "), 2U) << answers;
    EXPECT_EQ(count(answers, "Connection: close"), 1U) << answers;
    EXPECT_TRUE(talk.conversation.ends());
  }
}

TEST(HttpConversation, ConnectionCloseEndsAndIgnoresTheRest) {
  Desk desk;
  Talk<HttpConversation> talk(desk);
  const std::string answers =
      talk.say(get("/v2/health/live") + get("/v2/health/live", "Connection: close\r\n") + get("/v2"));
  EXPECT_EQ(count(answers, "HTTP/1.1 200 OK"), 2U);
  EXPECT_TRUE(talk.conversation.ends());
}

TEST(HttpConversation, ACrowdHearsOfHealthAlone) {
  Desk desk;
  const auto ask = [&](const std::string& request) {
    Talk<HttpConversation> talk(desk);
    talk.conversation.set_crowded();
    const std::string answer = talk.say(request + request);
    EXPECT_EQ(count(answer, "HTTP/1.1 "), 1U);
    EXPECT_EQ(count(answer, "Connection: close"), 1U) << answer;
    EXPECT_TRUE(talk.conversation.ends());
    return answer;
  };
  EXPECT_TRUE(ask(get("/v2/health/live")).starts_with("HTTP/1.1 200 "));
  EXPECT_TRUE(ask(get("/v2/health/ready")).starts_with("HTTP/1.1 200 "));
  for (const std::string& other : {post(kInfer, kOneRow), get("/v2"), get("/elsewhere")}) {
    const std::string answer = ask(other);
    EXPECT_TRUE(answer.starts_with("HTTP/1.1 503 ")) << answer;
    EXPECT_EQ(count(answer, "Retry-After: "), 1U);
  }
}

TEST(HttpConversation, TurnsABodyAway) {
  Desk desk;
  Talk<HttpConversation> talk(desk);
  EXPECT_EQ(talk.say("POST /v2/models/m/infer HTTP/1.1\r\nHost: h\r\nContent-Length: 10000000\r\n\r\n"), "");
  EXPECT_TRUE(talk.conversation.in_body());
  EXPECT_GT(talk.conversation.wanted(), 10000000U);
  talk.conversation.turn_away();
  EXPECT_TRUE(talk.conversation.out().starts_with("HTTP/1.1 503 "));
  EXPECT_EQ(count(talk.conversation.out(), "Retry-After: 1\r\n"), 1U);
  EXPECT_TRUE(talk.conversation.ends());
  EXPECT_FALSE(talk.woken) << "read() or turn_away() was still on";
}

TEST(HttpConversation, TellsASlowSenderBehindTheAnswersBefore) {
  for (const std::string part : {"POST /v2/mod",
                                 "POST /v2/models/m/infer HTTP/1.1\r\nHost: h\r\n"
                                 "Content-Length: 100\r\n\r\n{"}) {
    Desk desk;
    Talk<HttpConversation> talk(desk);
    EXPECT_EQ(count(talk.say(get("/v2/health/live") + part), "HTTP/1.1 "), 1U);
    talk.conversation.expire();
    const std::string& said = talk.conversation.out();
    EXPECT_TRUE(said.starts_with("HTTP/1.1 408 Request Timeout\r\n")) << said;
    EXPECT_EQ(count(said, "\r\nConnection: close\r\n"), 1U);
    EXPECT_NE(
        said.find(part.ends_with('{') ? "whole body of a request within 60" : "head of a request within 10"),
        std::string::npos)
        << said;
    EXPECT_TRUE(talk.conversation.ends());
    EXPECT_TRUE(talk.conversation.answered());
  }
}

TEST(HttpConversation, ErrorsTellTheirCallerAlone) {
  Desk desk;
  Talk<HttpConversation> talk(desk);
  const auto picky = [](int value) {
    return post("/v2/models/picky/infer",
                R"({"inputs":[{"name":"x","datatype":"INT64","shape":[1,1],"data":[)" +
                    std::to_string(value) + "]}]}");
  };
  const std::string answers = talk.say(picky(1) + picky(2) + picky(3));
  EXPECT_EQ(count(answers, "HTTP/1.1 200 OK"), 2U) << answers;
  EXPECT_EQ(count(answers, "HTTP/1.1 400 "), 1U) << answers;
}

TEST(HttpConversation, BombsDoNotExpand) {
  Desk desk;
  desk.options.expanded_bytes = 1 << 20;
  std::string packed;
  ASSERT_TRUE(wire::compress(std::string(64 << 20, ' '), wire::ContentCoding::kGzip, packed).ok());
  Talk<HttpConversation> talk(desk);
  const std::string answer = talk.say(post(kInfer, packed, "Content-Encoding: gzip\r\n"));
  EXPECT_TRUE(answer.starts_with("HTTP/1.1 400 ")) << answer;
}

}  // namespace
}  // namespace maas::serve
