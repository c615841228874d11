#include "maas/wire/http_reply.h"

#include <gtest/gtest.h>

#include <random>
#include <string>

#include "maas/wire/content_coding.h"

namespace maas::wire {
namespace {

TEST(HttpReply, WritesAHead) {
  std::string out;
  HttpReply reply;
  reply.json_size = 7;
  reply.content_type = "application/octet-stream";
  append_head(reply, 12, http_date(784111777), out);
  EXPECT_EQ(
      out,
      "HTTP/1.1 200 OK\r\nContent-Type: application/octet-stream\r\nInference-Header-Content-Length: 7\r\n"
      "Date: Sun, 06 Nov 1994 08:49:37 GMT\r\nContent-Length: 12\r\n\r\n");
  reply = {};
  reply.status = 429;
  reply.keep_alive = false;
  reply.retry_after = 1;
  out.clear();
  append_head(reply, 0, "now", out);
  EXPECT_EQ(out,
            "HTTP/1.1 429 Too Many Requests\r\nContent-Type: application/json\r\nRetry-After: 1\r\n"
            "Connection: close\r\nDate: now\r\nContent-Length: 0\r\n\r\n");
}

TEST(ContentCoding, ComesBack) {
  std::mt19937 random(1);
  std::string noise(200000, '\0');
  for (char& each : noise) each = static_cast<char>(random());
  for (const std::string& text : {std::string(), std::string("a"), std::string(1 << 20, 'a'), noise}) {
    for (const ContentCoding coding : {ContentCoding::kGzip, ContentCoding::kDeflate}) {
      std::string packed = "before", back;
      ASSERT_TRUE(compress(text, coding, packed).ok());
      const std::string_view bytes = std::string_view(packed).substr(6);
      ASSERT_TRUE(expand(bytes, coding, text.size(), back).ok());
      EXPECT_TRUE(back == text);
      if (text.empty()) continue;
      std::string less;
      EXPECT_FALSE(expand(bytes, coding, text.size() - 1, less).ok());
      EXPECT_FALSE(expand(bytes.substr(0, bytes.size() - 1), coding, text.size(), less).ok());
      EXPECT_FALSE(expand(std::string(bytes) + "x", coding, text.size(), less).ok());
    }
  }
}

TEST(ContentCoding, BombsStopAtTheLimit) {
  std::string packed, out;
  ASSERT_TRUE(compress(std::string(100 << 20, '\0'), ContentCoding::kGzip, packed).ok());
  EXPECT_FALSE(expand(packed, ContentCoding::kGzip, 1 << 20, out).ok());
  EXPECT_LE(out.capacity(), size_t{4} << 20);
}

TEST(ContentCoding, SeveralGzipMembersAreOneBody) {
  std::string packed, out;
  ASSERT_TRUE(compress("ab", ContentCoding::kGzip, packed).ok());
  ASSERT_TRUE(compress("cd", ContentCoding::kGzip, packed).ok());
  ASSERT_TRUE(expand(packed, ContentCoding::kGzip, 10, out).ok());
  EXPECT_EQ(out, "abcd");
  EXPECT_FALSE(expand("not gzip", ContentCoding::kGzip, 10, out).ok());
  EXPECT_FALSE(expand("", ContentCoding::kDeflate, 10, out).ok());
}

}  // namespace
}  // namespace maas::wire
