#include "maas/serve/answer_end.h"

#include <charconv>
#include <cstring>

#include "maas/base/error.h"
#include "maas/wire/frame.h"

namespace maas::serve {

namespace {

constexpr size_t kMostHead = 64 << 10;

bool same_name(std::string_view line, std::string_view name) {
  if (line.size() <= name.size() || line[name.size()] != ':') return false;
  for (size_t i = 0; i < name.size(); ++i) {
    const char c = line[i] >= 'A' && line[i] <= 'Z' ? static_cast<char>(line[i] + 32) : line[i];
    if (c != name[i]) return false;
  }
  return true;
}

std::string_view value_of(std::string_view line) {
  const size_t at = line.find_first_not_of(" \t", line.find(':') + 1);
  return at == line.npos ? std::string_view() : line.substr(at);
}

template <class T>
bool read_number(std::string_view text, T& out) {
  return std::from_chars(text.data(), text.data() + text.size(), out).ec == std::errc();
}

}  // namespace

AnswerEnd end_of_http(std::string_view bytes) {
  AnswerEnd found;
  const size_t head = bytes.find("\r\n\r\n");
  if (bytes.substr(0, 7) != std::string_view("HTTP/1.").substr(0, bytes.size()) ||
      (head == bytes.npos && bytes.size() > kMostHead))
    throw_invalid("bench", "expected an answer in HTTP/1.1");
  if (head == bytes.npos) return found;
  if (head < 12 || !read_number(bytes.substr(9, 3), found.status))
    throw_invalid("bench", "expected an answer in HTTP/1.1");
  size_t body = bytes.npos;
  for (size_t at = bytes.find("\r\n") + 2; at < head + 2;) {
    const size_t next = bytes.find("\r\n", at);
    const std::string_view line = bytes.substr(at, next - at);
    if (same_name(line, "content-length") && !read_number(value_of(line), body)) body = bytes.npos;
    if (same_name(line, "connection")) found.closes = value_of(line) == "close";
    at = next + 2;
  }
  if (body == bytes.npos || body > (size_t{1} << 40))
    throw_invalid("bench", "expected answers that say Content-Length");
  if (bytes.size() >= head + 4 + body) found.size = head + 4 + body;
  return found;
}

AnswerEnd end_of_frame(std::string_view bytes) {
  AnswerEnd found;
  size_t size = 0;
  wire::Status status;
  const wire::FrameState state = wire::find_frame(bytes, size_t{1} << 30, size, status);
  if (state == wire::FrameState::kBad) throw_invalid("bench", "expected an answer in raw frames");
  if (state == wire::FrameState::kNeedMore) return found;
  uint16_t number;
  std::memcpy(&number, bytes.data() + 6, sizeof(number));
  std::memcpy(&found.id, bytes.data() + 8, sizeof(found.id));
  found.status = number;
  found.size = size;
  return found;
}

}  // namespace maas::serve
