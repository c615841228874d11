#include "maas/wire/http_fields.h"

namespace maas::wire {

namespace {

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c; }

std::string_view trim(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

// Takes the part before `mark` off the front of `rest`.
std::string_view part(std::string_view& rest, char mark) {
  const size_t end = rest.find(mark);
  const std::string_view taken = trim(rest.substr(0, end));
  rest = end == std::string_view::npos ? std::string_view() : rest.substr(end + 1);
  return taken;
}

// "q=0", "q=0.", "q=0.000"
bool is_zero_weight(std::string_view parameter) {
  if (parameter.size() < 3 || lower(parameter[0]) != 'q' || parameter[1] != '=' || parameter[2] != '0')
    return false;
  return parameter.find_first_not_of("0.", 2) == std::string_view::npos;
}

}  // namespace

bool same_ignoring_case(std::string_view a, std::string_view b) {
  if (a.size() != b.size()) return false;
  for (size_t i = 0; i < a.size(); ++i) {
    if (lower(a[i]) != lower(b[i])) return false;
  }
  return true;
}

ContentCoding read_coding(std::string_view value) {
  value = trim(value);
  if (value.empty() || same_ignoring_case(value, "identity")) return ContentCoding::kIdentity;
  if (same_ignoring_case(value, "gzip") || same_ignoring_case(value, "x-gzip")) return ContentCoding::kGzip;
  if (same_ignoring_case(value, "deflate")) return ContentCoding::kDeflate;
  return ContentCoding::kUnknown;
}

bool accepts_coding(std::string_view value, std::string_view coding) {
  while (!value.empty()) {
    std::string_view entry = part(value, ',');
    if (!same_ignoring_case(part(entry, ';'), coding)) continue;
    while (!entry.empty()) {
      if (is_zero_weight(part(entry, ';'))) return false;
    }
    return true;
  }
  return false;
}

}  // namespace maas::wire
