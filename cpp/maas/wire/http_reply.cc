#include "maas/wire/http_reply.h"

#include <array>
#include <chrono>
#include <cstdio>

namespace maas::wire {

namespace {

const char* reason(int status) {
  switch (status) {
    case 200: return "OK";
    case 202: return "Accepted";
    case 204: return "No Content";
    case 400: return "Bad Request";
    case 401: return "Unauthorized";
    case 403: return "Forbidden";
    case 404: return "Not Found";
    case 405: return "Method Not Allowed";
    case 408: return "Request Timeout";
    case 409: return "Conflict";
    case 413: return "Content Too Large";
    case 414: return "URI Too Long";
    case 415: return "Unsupported Media Type";
    case 429: return "Too Many Requests";
    case 431: return "Request Header Fields Too Large";
    case 500: return "Internal Server Error";
    case 501: return "Not Implemented";
    case 503: return "Service Unavailable";
    case 504: return "Gateway Timeout";
    case 505: return "HTTP Version Not Supported";
  }
  return "";
}

}  // namespace

void append_head(const HttpReply& reply, size_t body_size, std::string_view date, std::string& out) {
  out += "HTTP/1.1 ";
  out += std::to_string(reply.status);
  out += ' ';
  out += reason(reply.status);
  out += "\r\nContent-Type: ";
  out += reply.content_type;
  if (reply.json_size) {
    out += "\r\nInference-Header-Content-Length: ";
    out += std::to_string(*reply.json_size);
  }
  if (reply.coding == ContentCoding::kGzip) out += "\r\nContent-Encoding: gzip";
  if (reply.coding == ContentCoding::kDeflate) out += "\r\nContent-Encoding: deflate";
  if (reply.retry_after) {
    out += "\r\nRetry-After: ";
    out += std::to_string(*reply.retry_after);
  }
  if (reply.wants_token) out += "\r\nWWW-Authenticate: Bearer";
  if (!reply.keep_alive) {
    out += "\r\nConnection: close";
  } else if (reply.says_keep_alive) {
    out += "\r\nConnection: keep-alive";
  }
  out += "\r\nDate: ";
  out += date;
  out += "\r\nContent-Length: ";
  out += std::to_string(body_size);
  out += "\r\n";
  out += reply.fields;
  out += "\r\n";
}

std::string_view continue_head() { return "HTTP/1.1 100 Continue\r\n\r\n"; }

std::string http_date(int64_t seconds) {
  using namespace std::chrono;
  constexpr std::array<const char*, 7> kDays = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
  constexpr std::array<const char*, 12> kMonths = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                   "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  const sys_seconds time{std::chrono::seconds(seconds)};
  const auto day = floor<days>(time);
  const year_month_day date(day);
  const hh_mm_ss clock(time - day);
  char text[40];
  std::snprintf(text, sizeof(text), "%s, %02u %s %04d %02d:%02d:%02d GMT", kDays[weekday(day).c_encoding()],
                static_cast<unsigned>(date.day()), kMonths[static_cast<unsigned>(date.month()) - 1],
                static_cast<int>(date.year()), static_cast<int>(clock.hours().count()),
                static_cast<int>(clock.minutes().count()), static_cast<int>(clock.seconds().count()));
  return text;
}

int http_status(ErrorCode code) {
  switch (code) {
    case ErrorCode::kInvalidArgument:
    case ErrorCode::kFormatError: return 400;
    case ErrorCode::kNotFound: return 404;
    case ErrorCode::kUnsupported: return 501;
    case ErrorCode::kPermissionDenied: return 403;
    case ErrorCode::kOverloaded: return 429;
    case ErrorCode::kDeadlineExceeded: return 504;
    case ErrorCode::kInternal: return 500;
  }
  return 500;
}

ErrorCode error_code(int http_status) {
  switch (http_status) {
    case 401:
    case 403: return ErrorCode::kPermissionDenied;
    case 404: return ErrorCode::kNotFound;
    case 408:
    case 504: return ErrorCode::kDeadlineExceeded;
    case 429:
    case 503: return ErrorCode::kOverloaded;
    case 415:
    case 501:
    case 505: return ErrorCode::kUnsupported;
    default: return http_status < 500 ? ErrorCode::kInvalidArgument : ErrorCode::kInternal;
  }
}

}  // namespace maas::wire
