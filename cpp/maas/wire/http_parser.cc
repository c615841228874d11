#include "maas/wire/http_parser.h"

#include <algorithm>
#include <boost/beast/http/basic_parser.hpp>
#include <charconv>
#include <utility>  // Asio of Boost 1.74 needs it first in C++20

#include "maas/wire/http_chunks.h"
#include "maas/wire/http_fields.h"
#include "maas/wire/infer_decoder.h"

namespace maas::wire {

namespace http = boost::beast::http;

namespace {

// Where a piece of the head lies, counted from the request's first byte: the bytes may move between calls.
struct Span {
  size_t begin = 0, size = 0;
  std::string_view in(std::string_view bytes) const { return bytes.substr(begin, size); }
};

struct FieldSpan {
  Span name, value;
};

// What a proxy is asked for names its server too (RFC 9112, 3.2.2): "http://host:8000/v2?a=b" is "/v2?a=b".
std::string_view without_authority(std::string_view target) {
  if (target.starts_with('/')) return target;
  for (const std::string_view scheme : {"http://", "https://"}) {
    if (!same_ignoring_case(target.substr(0, scheme.size()), scheme)) continue;
    const size_t end = target.find_first_of("/?", scheme.size());
    return end == std::string_view::npos ? "/" : target.substr(end);
  }
  return target;
}

}  // namespace

// Beast tells what it finds through these calls.
class HttpParser::Head : public http::basic_parser<true> {
 public:
  explicit Head(const HttpLimits& limits) : chunks(limits.body), limits_(limits) {
    header_limit(static_cast<uint32_t>(2 * limits.head));  // ours comes first, and is exact
    body_limit(limits.body);
    eager(false);
  }

  std::string_view bytes;  // of the call that goes on
  Method method = Method::kOther;
  Span verb, target;
  std::vector<FieldSpan> fields;
  ChunkReader chunks;
  bool folded = false, too_many = false, old = false;

 private:
  using Error = boost::beast::error_code;
  using View = boost::beast::string_view;

  bool place(View text, Span& out) const {
    const char* begin = bytes.data();
    if (text.empty()) return true;
    if (text.data() < begin || text.data() + text.size() > begin + bytes.size()) return false;
    out = {static_cast<size_t>(text.data() - begin), text.size()};
    return true;
  }

  void on_request_impl(http::verb verb_number, View verb_text, View target_text, int version,
                       Error&) override {
    method = verb_number == http::verb::get    ? Method::kGet
             : verb_number == http::verb::head ? Method::kHead
             : verb_number == http::verb::post ? Method::kPost
                                               : Method::kOther;
    old = version < 11;
    place(verb_text, verb);
    place(target_text, target);
  }
  void on_response_impl(int, View, int, Error&) override {}
  void on_field_impl(http::field, View name, View value, Error& error) override {
    FieldSpan field;
    folded = !place(name, field.name) || !place(value, field.value) || !one_line(field);
    too_many = fields.size() == limits_.fields;
    if (folded || too_many) {
      error = http::error::bad_value;
      return;
    }
    fields.push_back(field);
  }
  // Of a value over several lines Beast gives a copy, or the last line where the others are empty.
  bool one_line(const FieldSpan& field) const {
    size_t at = behind_space(field.name.begin + field.name.size + 1);  // behind the colon
    if (field.value.size > 0) {
      if (at != field.value.begin) return false;
      at = behind_space(at + field.value.size);
    }
    return bytes.substr(at, 2) == "\r\n" && behind_space(at + 2) == at + 2;
  }
  size_t behind_space(size_t at) const {
    while (at < bytes.size() && (bytes[at] == ' ' || bytes[at] == '\t')) ++at;
    return at;
  }
  void on_header_impl(Error&) override {}
  void on_body_init_impl(boost::optional<uint64_t> const&, Error&) override {}
  size_t on_body_impl(View text, Error&) override { return text.size(); }
  void on_chunk_header_impl(uint64_t, View, Error&) override {}
  size_t on_chunk_body_impl(uint64_t, View text, Error&) override { return text.size(); }
  void on_finish_impl(Error&) override {}

  HttpLimits limits_;
};

std::string_view HttpRequest::field(std::string_view name) const {
  for (const HttpField& each : fields) {
    if (same_ignoring_case(each.name, name)) return each.value;
  }
  return {};
}

HttpParser::HttpParser(const HttpLimits& limits) : limits_(limits), head_(std::make_unique<Head>(limits)) {}
HttpParser::~HttpParser() = default;
HttpParser::HttpParser(HttpParser&&) noexcept = default;
HttpParser& HttpParser::operator=(HttpParser&&) noexcept = default;

void HttpParser::reset() {
  auto fields = std::move(head_->fields);
  fields.clear();
  head_.reset();
  head_ = std::make_unique<Head>(limits_);
  head_->fields = std::move(fields);
  begun_ = head_done_ = continued_ = false;
  parsed_ = size_ = wanted_ = 0;
  status_ = 0;
}

HttpParser::State HttpParser::parse(std::string_view bytes) {
  if (status_ != 0) return State::kBad;
  if (!head_done_) return parse_head(bytes);
  if (head_->chunked()) return parse_chunks(bytes);
  if (bytes.size() < wanted_) return State::kNeedMore;
  return done(bytes, bytes.substr(parsed_, wanted_ - parsed_), wanted_);
}

HttpParser::State HttpParser::parse_head(std::string_view bytes) {
  // Empty lines before a request are to be ignored (RFC 9112, 2.2): some clients end a body with one.
  while (!begun_ && parsed_ < bytes.size() && bytes[parsed_] == '\r') {
    if (parsed_ + 1 == bytes.size()) return State::kNeedMore;
    if (bytes[parsed_ + 1] != '\n' || parsed_ > limits_.head) return bad(400, "expected a request line");
    parsed_ += 2;
  }
  if (parsed_ == bytes.size()) return State::kNeedMore;
  begun_ = true;
  boost::beast::error_code error;
  head_->bytes = bytes;
  parsed_ += head_->put(boost::asio::const_buffer(bytes.data() + parsed_, bytes.size() - parsed_), error);
  const bool more = error == http::error::need_more;
  if (more && bytes.size() < limits_.head) return State::kNeedMore;
  if (more || parsed_ > limits_.head || error == http::error::header_limit) {
    if (bytes.substr(0, limits_.head).find('\n') == std::string_view::npos) {
      return bad(414, "expected a request line of at most " + std::to_string(limits_.head) + " bytes");
    }
    return bad(431, "expected at most " + std::to_string(limits_.head) + " bytes of header fields");
  }
  if (error == http::error::body_limit) {
    return bad(413, "expected a body of at most " + std::to_string(limits_.body) + " bytes");
  }
  if (head_->too_many)
    return bad(431, "expected at most " + std::to_string(limits_.fields) + " header fields");
  if (head_->folded) return bad(400, "expected header fields of one line each");
  if (error == http::error::bad_version) return bad(505, "expected HTTP/1.1");
  if (error) return bad(400, "expected an HTTP/1.1 request: " + error.message());
  return head_is_complete(bytes);
}

HttpParser::State HttpParser::head_is_complete(std::string_view bytes) {
  head_done_ = true;
  request_.method = head_->method;
  request_.keep_alive = head_->keep_alive();
  request_.old = head_->old;
  request_.chunked = head_->chunked();
  view_head(bytes);
  if (!read_fields()) return State::kBad;
  const auto length = head_->content_length();
  if (length && *length > limits_.body) {
    return bad(413, "expected a body of at most " + std::to_string(limits_.body) + " bytes");
  }
  const bool waits =
      !continued_ && !request_.old && same_ignoring_case(request_.field("Expect"), "100-continue");
  if (!head_->chunked()) {
    wanted_ = parsed_ + static_cast<size_t>(length.value_or(0));
    if (bytes.size() >= wanted_) return done(bytes, bytes.substr(parsed_, wanted_ - parsed_), wanted_);
  } else if (const State state = parse_chunks(bytes); state != State::kNeedMore) {
    return state;
  }
  continued_ = true;
  return waits ? State::kContinue : State::kNeedMore;
}

HttpParser::State HttpParser::parse_chunks(std::string_view bytes) {
  // Tiny chunks carry more frame than body: what is kept of both has a limit too.
  if (bytes.size() > 2 * limits_.body + limits_.head)
    return bad(413, "expected larger chunks of a smaller body");
  switch (head_->chunks.read(bytes, parsed_)) {
    case ChunkReader::State::kNeedMore: return State::kNeedMore;
    case ChunkReader::State::kBad: return bad(400, "expected a body in chunks");
    case ChunkReader::State::kTooLarge:
      return bad(413, "expected a body of at most " + std::to_string(limits_.body) + " bytes");
    case ChunkReader::State::kDone: break;
  }
  std::string& body = head_->chunks.body();
  const size_t size = body.size();
  body.append(kBodyPadding, '\0');
  return done(bytes, std::string_view(body).substr(0, size), parsed_);
}

HttpParser::State HttpParser::done(std::string_view bytes, std::string_view body, size_t size) {
  view_head(bytes);
  request_.body = body;
  size_ = size;
  return State::kDone;
}

void HttpParser::view_head(std::string_view bytes) {
  request_.verb = head_->verb.in(bytes);
  request_.target = without_authority(head_->target.in(bytes));
  const size_t mark = request_.target.find('?');
  request_.path = mark == 0 ? "/" : request_.target.substr(0, mark);
  request_.query = mark == std::string_view::npos ? std::string_view() : request_.target.substr(mark + 1);
  request_.fields.clear();
  for (const FieldSpan& each : head_->fields) {
    request_.fields.push_back({each.name.in(bytes), each.value.in(bytes)});
  }
  request_.authorization = request_.field("Authorization");
}

std::string HttpParser::take_body() { return std::move(head_->chunks.body()); }

// What fields say that the engine acts on.
bool HttpParser::read_fields() {
  request_.json_size.reset();
  request_.coding = ContentCoding::kIdentity;
  request_.accepts_gzip = request_.accepts_deflate = false;
  bool in_chunks = false;
  int hosts = 0;
  for (const HttpField& each : request_.fields) {
    if (same_ignoring_case(each.name, "Inference-Header-Content-Length")) {
      size_t size = 0;
      const char* end = each.value.data() + each.value.size();
      const auto [stop, error] = std::from_chars(each.value.data(), end, size);
      if (request_.json_size || error != std::errc() || stop != end) {
        bad(400, "expected one Inference-Header-Content-Length with the bytes of the JSON");
        return false;
      }
      request_.json_size = size;
    } else if (same_ignoring_case(each.name, "Transfer-Encoding")) {
      // Any other coding, or chunks from HTTP/1.0, and the end of the body is anyone's guess (RFC 9112, 6.1).
      if (in_chunks || request_.old || !same_ignoring_case(each.value, "chunked")) {
        bad(501, "expected a Content-Length or, from HTTP/1.1, Transfer-Encoding: chunked");
        return false;
      }
      in_chunks = true;
    } else if (same_ignoring_case(each.name, "Host")) {
      ++hosts;
    } else if (same_ignoring_case(each.name, "Content-Encoding")) {
      request_.coding = read_coding(each.value);
    } else if (same_ignoring_case(each.name, "Accept-Encoding")) {
      request_.accepts_gzip |= accepts_coding(each.value, "gzip");
      request_.accepts_deflate |= accepts_coding(each.value, "deflate");
    }
  }
  if (hosts == 1 || (hosts == 0 && request_.old)) return true;
  bad(400, "expected one Host field");
  return false;
}

HttpParser::State HttpParser::bad(int status, std::string text) {
  status_ = status;
  text_ = std::move(text);
  return State::kBad;
}

}  // namespace maas::wire
