// What HttpConversation hands to the control plane, and what it says of models that are still to come.
#include <gtest/gtest.h>

#include <string>
#include <utility>

#include "maas/serve/http_conversation.h"
#include "maas/wire/infer_decoder.h"

namespace maas::serve {
namespace {

class HttpControl : public testing::Test {
 protected:
  std::string ask(std::string text) {
    const size_t size = text.size();
    text.append(wire::kBodyPadding, '\0');
    EXPECT_EQ(conversation.read({text.data(), size}), size);
    return conversation.answered() ? std::exchange(conversation.out(), {}) : "";
  }

  ServerOptions options;
  ModelTable models;
  ControlQueue queue{1, 1000};
  Readiness readiness;
  Worker worker{options,
                models,
                [] {},
                [](Call&) { return false; },
                [this](ControlRequest request, ControlQueue::Answer answer) {
                  return queue.ask(std::move(request), std::move(answer));
                },
                &readiness};
  HttpConversation conversation{worker};
};

TEST_F(HttpControl, OtherPathsWaitForTheirAnswer) {
  bool told = false;
  conversation.when_answered([&] { told = true; });
  EXPECT_EQ(ask("POST /v2/repository/index?a=b HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\n\r\n{}"), "");
  const auto request = queue.next();
  EXPECT_EQ(request->method, "POST");
  EXPECT_EQ(request->target, "/v2/repository/index?a=b");
  EXPECT_EQ(request->body, "{}");
  EXPECT_EQ(request->fields, (FieldList{{"Host", "h"}, {"Content-Length", "2"}}));
  ControlReply reply;
  reply.status = 409;
  reply.fields = {{"content-type", "text/plain"}, {"x-a", "b"}};
  reply.body = "no";
  ASSERT_TRUE(queue.answer(request->id, reply));
  EXPECT_TRUE(told);
  const std::string& out = conversation.out();
  EXPECT_TRUE(out.starts_with("HTTP/1.1 409 Conflict\r\nContent-Type: text/plain\r\n")) << out;
  EXPECT_TRUE(out.ends_with("Content-Length: 2\r\nx-a: b\r\n\r\nno")) << out;
}

TEST_F(HttpControl, OneThatWaitsToSendIsToldToBehindTheAnswersBeforeIt) {
  const std::string head =
      "POST /v2 HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n";
  std::string text = "GET /v2/health/live HTTP/1.1\r\nHost: h\r\n\r\n" + head;
  text.append(wire::kBodyPadding, '\0');
  EXPECT_EQ(conversation.read({text.data(), text.size() - wire::kBodyPadding}),
            text.size() - wire::kBodyPadding - head.size());
  const std::string out = std::exchange(conversation.out(), {});
  EXPECT_LT(out.find("{\"live\":true}"), out.find("HTTP/1.1 100 Continue\r\n\r\n"));
  EXPECT_TRUE(out.ends_with("\r\n\r\n"));
}

TEST_F(HttpControl, HttpOneZeroIsToldThatItsConnectionGoesOn) {
  EXPECT_NE(ask("GET /v2 HTTP/1.0\r\nConnection: keep-alive\r\n\r\n").find("\r\nConnection: keep-alive\r\n"),
            std::string::npos);
  EXPECT_NE(ask("GET /v2 HTTP/1.0\r\n\r\n").find("\r\nConnection: close\r\n"), std::string::npos);
}

TEST_F(HttpControl, AnswersKeepTheOrderOfTheirRequests) {
  EXPECT_EQ(ask("GET /a HTTP/1.1\r\nHost: h\r\n\r\nGET /v2/health/live HTTP/1.1\r\nHost: h\r\n\r\n"), "");
  ControlReply reply;
  reply.status = 200;
  reply.body = "first";
  queue.answer(queue.next()->id, reply);
  const std::string& out = conversation.out();
  EXPECT_LT(out.find("first"), out.find("live"));
}

TEST_F(HttpControl, AFullQueueIs503) {
  ASSERT_TRUE(queue.ask({}, [](ControlReply) {}));
  const std::string out = ask("GET /a HTTP/1.1\r\nHost: h\r\n\r\n");
  EXPECT_TRUE(out.starts_with("HTTP/1.1 503 ")) << out;
  EXPECT_NE(out.find("Retry-After: "), std::string::npos);
}

TEST_F(HttpControl, AConversationThatIsGoneHearsNothing) {
  EXPECT_EQ(ask("GET /a HTTP/1.1\r\nHost: h\r\n\r\n"), "");
  const uint64_t id = queue.next()->id;
  queue.close();
  EXPECT_FALSE(queue.answer(id, {}));
}

TEST_F(HttpControl, WrongMethodsNameTheRightOnes) {
  EXPECT_NE(ask("POST /v2 HTTP/1.1\r\nHost: h\r\nContent-Length: 0\r\n\r\n").find("\r\nAllow: GET, HEAD\r\n"),
            std::string::npos);
  EXPECT_NE(ask("GET /v2/models/m/infer HTTP/1.1\r\nHost: h\r\n\r\n").find("\r\nAllow: POST\r\n"),
            std::string::npos);
}

TEST_F(HttpControl, ReadinessNamesWhatIsMissing) {
  readiness.set({{{"credit", "it is being read"}}, ""});
  std::string out = ask("GET /v2/health/ready HTTP/1.1\r\nHost: h\r\n\r\n");
  EXPECT_TRUE(out.starts_with("HTTP/1.1 503 ")) << out;
  EXPECT_NE(out.find("'credit': it is being read"), std::string::npos) << out;
  out = ask("GET /v2/models/credit/ready HTTP/1.1\r\nHost: h\r\n\r\n");
  EXPECT_TRUE(out.starts_with("HTTP/1.1 503 ")) << out;
  out = ask("GET /v2/models/other/ready HTTP/1.1\r\nHost: h\r\n\r\n");
  EXPECT_TRUE(out.starts_with("HTTP/1.1 404 ")) << out;
  readiness.set({{}, "credit: version 2 was refused"});
  out = ask("GET /v2/health/ready HTTP/1.1\r\nHost: h\r\n\r\n");
  EXPECT_TRUE(out.starts_with("HTTP/1.1 200 ")) << out;
  EXPECT_NE(out.find("\"note\":\"credit: version 2 was refused\""), std::string::npos) << out;
}

TEST_F(HttpControl, TheLastAnswerOfAServerThatStopsSaysThatItEnds) {
  conversation.set_draining();
  const std::string out =
      ask("GET /v2 HTTP/1.1\r\nHost: h\r\n\r\nGET /v2/health/live HTTP/1.1\r\nHost: h\r\n\r\n");
  const size_t said = out.find("Connection: close");
  EXPECT_GT(said, out.rfind("HTTP/1.1 200"));
  EXPECT_NE(said, std::string::npos);
  EXPECT_TRUE(conversation.ends());
}

}  // namespace
}  // namespace maas::serve
