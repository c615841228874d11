#include "maas/program/steps/number_text.h"

#include <charconv>
#include <cmath>
#include <cstring>
#include <limits>

#include "maas/kernels/cast.h"

namespace maas {

namespace {

size_t write_text(std::string_view text, char* out) {
  std::memcpy(out, text.data(), text.size());
  return text.size();
}

template <class T>
size_t write_float(T value, int digits, char* out) {
  if (value != value) return write_text("NaN", out);
  if (std::isinf(value)) return write_text(value > 0 ? "INF" : "-INF", out);
  char* const end = out + kNumberText;
  const auto written = std::to_chars(out, end, value, std::chars_format::scientific);
  const auto length = static_cast<size_t>(written.ptr - out);
  const size_t mark = std::string_view(out, length).rfind('e');
  int exponent = 0;
  std::from_chars(out + mark + (out[mark + 1] == '+' ? 2 : 1), written.ptr, exponent);
  if (exponent < -4 || exponent >= digits) return length;
  return static_cast<size_t>(std::to_chars(out, end, value, std::chars_format::fixed).ptr - out);
}

bool is_blank(char c) { return c == ' ' || (c >= '\t' && c <= '\r'); }

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && is_blank(text.front())) text.remove_prefix(1);
  while (!text.empty() && is_blank(text.back())) text.remove_suffix(1);
  if (text.size() > 1 && text[0] == '+' && text[1] != '-') text.remove_prefix(1);
  return text;
}

template <class T>
bool read_float(std::string_view text, T& value) {
  text = trimmed(text);
  const char* const end = text.data() + text.size();
  value = 0;
  const auto read = std::from_chars(text.data(), end, value);
  if (read.ec == std::errc()) {
    if (read.ptr == end) return true;
  } else if (read.ec == std::errc::result_out_of_range && read.ptr == end) {
    // Too small is zero, too large is an error.
    const size_t mark = text.find_first_of("eE");
    value = 0;
    return mark == std::string_view::npos ? text.find('.') < 2 : text[mark + 1] == '-';
  }
  value = 0;
  return false;
}

template <class T>
bool read_integer(std::string_view text, T& value) {
  text = trimmed(text);
  const char* const end = text.data() + text.size();
  value = 0;
  const auto read = std::from_chars(text.data(), end, value);
  if (read.ec == std::errc() && read.ptr == end) return true;
  double number = 0;
  const bool ok = read_float(text, number) && cast_values(1, &number, &value);
  if (!ok) value = 0;
  return ok;
}

}  // namespace

size_t write_number(float value, char* out) { return write_float(value, 8, out); }
size_t write_number(double value, char* out) { return write_float(value, 17, out); }
size_t write_number(int64_t value, char* out) {
  return static_cast<size_t>(std::to_chars(out, out + kNumberText, value).ptr - out);
}
size_t write_number(int32_t value, char* out) { return write_number(int64_t{value}, out); }
size_t write_number(uint8_t value, char* out) { return write_text(value != 0 ? "1" : "0", out); }

bool read_number(std::string_view text, float& value) { return read_float(text, value); }
bool read_number(std::string_view text, double& value) { return read_float(text, value); }
bool read_number(std::string_view text, int64_t& value) { return read_integer(text, value); }
bool read_number(std::string_view text, int32_t& value) { return read_integer(text, value); }
bool read_number(std::string_view text, uint8_t& value) {
  double number = 0;
  const bool ok = read_float(text, number);
  value = number != 0;
  return ok;
}

}  // namespace maas
