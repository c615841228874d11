// The head of an HTTP/1.1 answer.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "maas/base/error.h"
#include "maas/wire/http_parser.h"

namespace maas::wire {

struct HttpReply {
  int status = 200;
  bool keep_alive = true;
  bool says_keep_alive = false;  // for HTTP/1.0
  std::string_view content_type = "application/json";
  std::optional<size_t> json_size;  // Inference-Header-Content-Length
  ContentCoding coding = ContentCoding::kIdentity;
  std::optional<unsigned> retry_after;  // seconds
  bool wants_token = false;             // WWW-Authenticate: Bearer
  std::string_view fields;              // further lines, each with its end
};

// Appends the head of an answer whose body has `body_size` bytes. `date`: as http_date gives it.
void append_head(const HttpReply& reply, size_t body_size, std::string_view date, std::string& out);

// "HTTP/1.1 100 Continue\r\n\r\n"
std::string_view continue_head();

// Seconds since 1970 UTC as "Sun, 06 Nov 1994 08:49:37 GMT".
std::string http_date(int64_t seconds);

// 400, 404, 501, ...: the table that the Python classes' `status` has too.
int http_status(ErrorCode code);

// The code that a status of 400 and more stands for.
ErrorCode error_code(int http_status);

}  // namespace maas::wire
