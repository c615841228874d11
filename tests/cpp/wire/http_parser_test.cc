#include "maas/wire/http_parser.h"

#include <gtest/gtest.h>

#include <cstring>
#include <memory>
#include <string>

#include "maas/wire/http_fields.h"
#include "maas/wire/infer_decoder.h"

namespace maas::wire {
namespace {

using State = HttpParser::State;

// What tritonclient 2.73 sends.
const char* const kTriton =
    "POST /v2/models/small/infer?q=1 HTTP/1.1\r\n"
    "User-Agent: python/gevent-http-client-2.6.1\r\n"
    "Inference-Header-Content-Length: 2\r\n"
    "Host: localhost:8000\r\n"
    "Content-Length: 10\r\n"
    "Connection: keep-alive\r\n\r\n"
    "{}12345678";
const char* const kChunked =
    "POST /v2/models/small/infer HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
    "4\r\n{\"a\"\r\n3;x=y\r\n:1}\r\n0\r\nTrailer: 1\r\n\r\n";
const char* const kGet =
    "GET /v2/health/live HTTP/1.1\r\nHost: a\r\nAccept-Encoding: gzip, deflate, br\r\n\r\n";

// Gives the parser each prefix in fresh memory, `step` bytes longer each time.
struct Fed {
  Fed(const std::string& text, size_t step, const HttpLimits& limits = {}) : parser(limits) {
    for (size_t size = std::min(step, text.size());; size = std::min(size + step, text.size())) {
      auto next = std::make_unique<char[]>(size + kBodyPadding);  // so that stale views are seen
      std::memcpy(next.get(), text.data(), size);
      bytes = std::move(next);
      state = parser.parse({bytes.get(), size});
      if (state == State::kContinue) ++continues;
      if (state == State::kDone || state == State::kBad || size == text.size()) break;
    }
  }
  std::unique_ptr<char[]> bytes;
  HttpParser parser;
  State state = State::kNeedMore;
  int continues = 0;
};

TEST(HttpParser, ReadsARequestWholeOrInPiecesOrWithMoreBehindIt) {
  for (const std::string behind : {"", "GET / HTTP/1.1\r\nHost: h\r\n", "\0\0\0"}) {
    for (const size_t step : {size_t{1}, size_t{2}, size_t{3}, size_t{7}, size_t{64}, size_t{1000}}) {
      const Fed fed(kTriton + behind, step);
      ASSERT_EQ(fed.state, State::kDone) << fed.parser.text();
      const HttpRequest& request = fed.parser.request();
      EXPECT_EQ(request.method, Method::kPost);
      EXPECT_EQ(request.path, "/v2/models/small/infer");
      EXPECT_EQ(request.query, "q=1");
      EXPECT_TRUE(request.keep_alive);
      EXPECT_EQ(request.json_size, std::optional<size_t>(2));
      EXPECT_EQ(request.field("user-AGENT"), "python/gevent-http-client-2.6.1");
      EXPECT_EQ(request.body, "{}12345678");
      EXPECT_EQ(fed.parser.size(), std::string(kTriton).size());
    }
  }
}

TEST(HttpParser, ReadsChunks) {
  for (const std::string behind : {"", "GET / HTTP/1.1\r\nHost: h\r\n"}) {
    for (const size_t step : {size_t{1}, size_t{2}, size_t{5}, size_t{1000}}) {
      const Fed fed(kChunked + behind, step);
      ASSERT_EQ(fed.state, State::kDone) << step << fed.parser.text();
      EXPECT_EQ(fed.parser.request().body, "{\"a\":1}");
      EXPECT_EQ(fed.parser.size(), std::string(kChunked).size());
    }
  }
}

TEST(HttpParser, GoesOnBehindARequest) {
  const std::string text = std::string(kTriton) + kGet + kChunked + "\r\n" + kGet;
  HttpParser parser;
  std::string paths;
  size_t at = 0;
  while (at < text.size()) {
    parser.reset();
    ASSERT_EQ(parser.parse(std::string_view(text).substr(at)), State::kDone) << parser.text();
    paths += std::string(parser.request().path) + " ";
    at += parser.size();
  }
  EXPECT_EQ(paths, "/v2/models/small/infer /v2/health/live /v2/models/small/infer /v2/health/live ");
}

TEST(HttpParser, ReadsWhatAnswersMayBe) {
  const Fed fed(kGet, 1000);
  EXPECT_TRUE(fed.parser.request().accepts_gzip);
  EXPECT_TRUE(fed.parser.request().accepts_deflate);
  EXPECT_TRUE(accepts_coding("br;q=1.0, gzip;q=0.5", "gzip"));
  EXPECT_FALSE(accepts_coding("br, gzip;q=0", "gzip"));
  EXPECT_FALSE(accepts_coding("br, gzip; q=0.000", "gzip"));
  EXPECT_TRUE(accepts_coding("GZIP;q=0.001", "gzip"));
  EXPECT_FALSE(accepts_coding("gzipped", "gzip"));
  EXPECT_FALSE(accepts_coding("", "gzip"));
  EXPECT_EQ(read_coding(" GZip "), ContentCoding::kGzip);
  EXPECT_EQ(read_coding("br"), ContentCoding::kUnknown);
  EXPECT_EQ(read_coding("gzip, gzip"), ContentCoding::kUnknown);
}

TEST(HttpParser, ReadsTargetsThatNameTheServer) {
  const std::string targets[][3] = {{"http://h:8000/v2?a=b", "/v2", "a=b"},
                                    {"HTTPS://h/v2/models/m", "/v2/models/m", ""},
                                    {"http://h", "/", ""},
                                    {"http://h?a", "/", "a"},
                                    {"http://u@h/http://g/x", "/http://g/x", ""},
                                    {"/http://h", "/http://h", ""},
                                    {"*", "*", ""},
                                    {"ftp://h/x", "ftp://h/x", ""}};
  for (const auto& [target, path, query] : targets) {
    const Fed fed("GET " + target + " HTTP/1.1\r\nHost: other\r\n\r\n", 1);
    ASSERT_EQ(fed.state, State::kDone) << target << fed.parser.text();
    EXPECT_EQ(fed.parser.request().path, path) << target;
    EXPECT_EQ(fed.parser.request().query, query) << target;
  }
}

TEST(HttpParser, TellsWhenTheConnectionEnds) {
  EXPECT_FALSE(
      Fed("GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n", 1000).parser.request().keep_alive);
  EXPECT_FALSE(Fed("GET / HTTP/1.0\r\n\r\n", 1000).parser.request().keep_alive);
  EXPECT_TRUE(Fed("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n", 1000).parser.request().keep_alive);
}

TEST(HttpParser, AsksForABodyThatWaits) {
  const std::string head = "POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 3\r\n\r\n";
  const Fed slow(head + "abc", 1);
  EXPECT_EQ(slow.state, State::kDone);
  EXPECT_EQ(slow.continues, 1);
  EXPECT_EQ(Fed(head + "abc", 1000).continues, 0);  // the body is there
}

TEST(HttpParser, TellsHowMuchIsToCome) {
  HttpParser parser;
  const std::string text(kTriton);
  const size_t head = text.find("{}");
  EXPECT_EQ(parser.parse(std::string_view(text).substr(0, head)), State::kNeedMore);
  EXPECT_EQ(parser.wanted(), text.size());
}

int status(const std::string& text, const HttpLimits& limits = {}) {
  const Fed whole(text, text.size(), limits), slow(text, 1, limits);
  EXPECT_EQ(whole.state, slow.state) << text.substr(0, 100);
  EXPECT_EQ(whole.parser.status(), slow.parser.status());
  return whole.state == State::kBad ? whole.parser.status() : 0;
}

TEST(HttpParser, RefusesWhatCanBeReadInTwoWays) {
  const std::string post = "POST / HTTP/1.1\r\nHost: a\r\n";
  EXPECT_EQ(status(post + "Content-Length: 3\r\nContent-Length: 4\r\n\r\nabcd"), 400);
  EXPECT_EQ(status(post + "Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"), 400);
  EXPECT_EQ(status(post + "Transfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\n0\r\n\r\n"), 400);
  EXPECT_EQ(status(post + "Content-Length: +3\r\n\r\nabc"), 400);
  EXPECT_EQ(status(post + "Content-Length: 3 3\r\n\r\nabc"), 400);
  EXPECT_EQ(status(post + "Content-Length: 99999999999999999999\r\n\r\nabc"), 400);
  EXPECT_EQ(status(post + "Content-Length : 3\r\n\r\nabc"), 400);
  for (const char* const fold :
       {"A: b\r\n c", "A:\r\n c", "A: b\r\n ", "A:\r\n ", "A: \t\r\n\tc", "A: b \r\n c"})
    EXPECT_EQ(status(post + fold + "\r\n\r\n"), 400) << fold;
  EXPECT_EQ(status(post + "A:\r\nB: \t \r\nC:c\r\nD: \t d e\t \r\n\r\n"), 0);
  EXPECT_EQ(status(post + "A\r\n\r\n"), 400);
  EXPECT_EQ(status(post + "A: b\x01\r\n\r\n"), 400);
  EXPECT_EQ(status(post + "Transfer-Encoding: chunked\r\n\r\nxyz\r\n"), 400);
  EXPECT_EQ(status(post + "Transfer-Encoding: chunked\r\n\r\n3\r\nabcd\r\n0\r\n\r\n"), 400);
  EXPECT_EQ(status(post + "Transfer-Encoding: gzip\r\n\r\n{}"), 501);
  EXPECT_EQ(status(post + "Transfer-Encoding: chunked, gzip\r\n\r\n0\r\n\r\n"), 501);
  EXPECT_EQ(status(post + "Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n"), 501);
  EXPECT_EQ(status("POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"), 501);
  EXPECT_EQ(status("POST / HTTP/2.0\r\n\r\n"), 505);
  EXPECT_EQ(status("\x16\x03\x01\x02\x01\x01\xfc\x03\x03 tls\r\n\r\n"), 400);
  EXPECT_EQ(status(post + "Inference-Header-Content-Length: 1\r\nInference-Header-Content-Length: 1\r\n\r\n"),
            400);
  EXPECT_EQ(status(post + "Inference-Header-Content-Length: -1\r\n\r\n"), 400);
  EXPECT_EQ(status(post + "Inference-Header-Content-Length: 1x\r\n\r\n"), 400);
}

TEST(HttpParser, WantsOneHost) {
  EXPECT_EQ(status("GET / HTTP/1.1\r\n\r\n"), 400);
  EXPECT_EQ(status("GET / HTTP/1.1\r\nHost: a\r\nhost: a\r\n\r\n"), 400);
  EXPECT_EQ(status("GET http://a/ HTTP/1.1\r\n\r\n"), 400);
  EXPECT_EQ(status("GET / HTTP/1.1\r\nHOST:\r\n\r\n"), 0);
  EXPECT_EQ(status("GET / HTTP/1.0\r\n\r\n"), 0);
  EXPECT_EQ(status("GET / HTTP/1.0\r\nHost: a\r\nHost: b\r\n\r\n"), 400);
}

TEST(HttpParser, HoldsItsLimits) {
  HttpLimits limits;
  limits.head = 200;
  limits.fields = 4;
  limits.body = 10;
  EXPECT_EQ(status("GET /" + std::string(300, 'a') + " HTTP/1.1\r\nHost: h\r\n\r\n", limits), 414);
  EXPECT_EQ(status("GET / HTTP/1.1\r\nHost: h\r\nA: " + std::string(300, 'a'), limits), 431);
  EXPECT_EQ(status("GET / HTTP/1.1\r\nHost: h\r\nA: 1\r\nB: 1\r\nC: 1\r\nD: 1\r\n\r\n", limits), 431);
  EXPECT_EQ(status("GET / HTTP/1.1\r\nHost: h\r\nA: 1\r\nB: 1\r\nC: 1\r\n\r\n", limits), 0);
  EXPECT_EQ(status("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 11\r\n\r\n", limits), 413);
  const std::string chunked = "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n";
  EXPECT_EQ(status(chunked + "b\r\n12345678901\r\n0\r\n\r\n", limits), 413);
  EXPECT_EQ(status(chunked + "6\r\n123456\r\n5\r\n12345\r\n0\r\n\r\n", limits), 413);
  EXPECT_EQ(status(chunked + "a\r\n1234567890\r\n0\r\n\r\n", limits), 0);
}

}  // namespace
}  // namespace maas::wire
