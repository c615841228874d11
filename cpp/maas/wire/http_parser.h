// HTTP/1.1 requests out of bytes: heads by Boost.Beast's parser, bodies by length or in chunks. Beast's own
// reader of chunks (1.74) asserts on hostile ones, so it is not used.
//
// Sans-IO: the caller keeps all bytes from a request's first one, gives them at each call and learns what
// they hold.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace maas::wire {

struct HttpLimits {
  size_t head = 16 << 10;  // bytes of the request line and all fields
  size_t fields = 100;
  size_t body = 64 << 20;  // bytes, as sent
};

enum class Method : uint8_t { kGet, kHead, kPost, kOther };
enum class ContentCoding : uint8_t { kIdentity, kGzip, kDeflate, kUnknown };

struct HttpField {
  std::string_view name, value;
};

// Views point into the bytes of the last parse(), or into the parser where the body came in chunks.
struct HttpRequest {
  Method method = Method::kOther;
  std::string_view verb, target, path, query;  // target: as sent, without a server's name; and its two parts
  std::vector<HttpField> fields;
  bool keep_alive = true;
  bool old = false;                                 // HTTP/1.0: a connection that goes on is said to
  bool chunked = false;                             // the body came in chunks: take_body()
  std::optional<size_t> json_size;                  // Inference-Header-Content-Length
  ContentCoding coding = ContentCoding::kIdentity;  // of the body
  bool accepts_gzip = false, accepts_deflate = false;
  std::string_view authorization;
  std::string_view body;

  // The first field of that name, in any case; "" without one.
  std::string_view field(std::string_view name) const;
};

class HttpParser {
 public:
  enum class State : uint8_t {
    kNeedMore,
    kContinue,  // once, where the sender waits for "100 Continue" before it sends the body: then as kNeedMore
    kDone,
    kBad,  // what follows cannot be told apart: answer status() and text(), then close
  };

  explicit HttpParser(const HttpLimits& limits = {});
  ~HttpParser();
  HttpParser(HttpParser&&) noexcept;
  HttpParser& operator=(HttpParser&&) noexcept;

  // `bytes`: everything received from the request's first byte on, which may lie elsewhere than at the last
  // call.
  State parse(std::string_view bytes);

  // After kDone.
  const HttpRequest& request() const { return request_; }
  size_t size() const { return size_; }  // bytes that the request takes; the next one begins behind them

  // After kDone of a body in chunks, for what outlives reset(): the body with padding behind it.
  std::string take_body();

  // After kNeedMore or kContinue: bytes that the request takes in all where that is known, else 0.
  size_t wanted() const { return wanted_; }
  // Whether the head is whole: then request() has all but the body, as views that hold until the next call.
  bool in_body() const { return head_done_; }

  // After kBad.
  int status() const { return status_; }
  const std::string& text() const { return text_; }

  // Before the next request.
  void reset();

 private:
  class Head;

  State parse_head(std::string_view bytes);
  State head_is_complete(std::string_view bytes);
  State parse_chunks(std::string_view bytes);
  State done(std::string_view bytes, std::string_view body, size_t size);
  void view_head(std::string_view bytes);
  bool read_fields();
  State bad(int status, std::string text);

  HttpLimits limits_;
  std::unique_ptr<Head> head_;
  HttpRequest request_;
  bool begun_ = false, head_done_ = false, continued_ = false;
  size_t parsed_ = 0;  // bytes that Beast has taken
  size_t size_ = 0, wanted_ = 0;
  int status_ = 0;
  std::string text_;
};

}  // namespace maas::wire
