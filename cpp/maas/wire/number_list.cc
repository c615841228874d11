#include "maas/wire/number_list.h"

#include <bit>
#include <charconv>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <iterator>
#include <limits>
#include <type_traits>

#include "maas/wire/digits.h"

namespace maas::wire {

namespace {

bool is_blank(char c) { return c == ' ' || c == '\n' || c == '\r' || c == '\t'; }
bool is_digit(char c) { return static_cast<unsigned char>(c - '0') < 10; }

const char* skip_blanks(const char* at) {
  while (is_blank(*at)) ++at;
  return at;
}

// A number as it is written: digits · 10^exponent.
struct Decimal {
  bool negative;
  bool whole;  // neither a fraction nor an exponent
  bool exact;  // else there are more digits than `digits` can hold
  uint64_t digits;
  int exponent;
};

constexpr int kMostDigits = 19;  // of any 64-bit number

// Moves `at` behind an exponent, which it adds to `number`; false where it is none.
bool read_exponent(const char*& at, Decimal& number) {
  ++at;
  const bool small = *at == '-';
  if (small || *at == '+') ++at;
  const char* const first = at;
  int exponent = 0;
  for (; is_digit(*at); ++at) exponent = exponent * 10 + (*at - '0');
  if (at == first || at - first > 4) return false;
  number.exponent += small ? -exponent : exponent;
  number.whole = false;
  return true;
}

// A number of any length, or none, for its end and whether it is well-formed.
bool read_long_decimal(const char*& at, Decimal& out) {
  if (!is_digit(*at) || (*at == '0' && is_digit(at[1]))) return false;
  const char* const first = at;
  for (out.digits = 0; is_digit(*at); ++at) out.digits = out.digits * 10 + static_cast<unsigned>(*at - '0');
  out.whole = *at != '.';
  out.exact = out.whole && at - first <= kMostDigits;
  if (!out.whole) {
    const char* const point = at++;
    while (is_digit(*at)) ++at;
    if (at - point < 2) return false;
  }
  return (*at | 0x20) != 'e' || read_exponent(at, out);
}

// Reads the number at `at`, which it moves behind it; false where there is none.
inline bool read_decimal(const char*& at, Decimal& out) {
  out.negative = *at == '-';
  const char* const first = at + out.negative;
  const uint32_t others = ~(digit_mask(at) >> out.negative);
  const auto before = static_cast<unsigned>(std::countr_zero(others));
  const auto zero = static_cast<unsigned>(*first == '0');  // no branch on it: half of all numbers begin so
  out.exponent = 0;
  if (before - 1 >= 8u >> (3 * zero)) {
    at = first;
    return read_long_decimal(at, out);
  }
  out.digits = short_number(first, before);
  const char* const point = first + before;
  out.whole = *point != '.';
  at = point;
  if (!out.whole) {
    const auto behind = static_cast<unsigned>(std::countr_zero(others >> (before + 1)));
    if (behind == 0) return false;
    if (before + behind > kMostDigits + zero) {
      at = first;
      return read_long_decimal(at, out);
    }
    const unsigned rest = (behind & 15) & (0u - (behind >> 4)),
                   most = behind - rest;  // rest: past 16, if any
    out.digits = (out.digits * kPowers[most] + long_number(point + 1, most)) * kPowers[rest] +
                 short_number(point + 17, rest);
    out.exponent = -static_cast<int>(behind);
    at = point + 1 + behind;
  }
  out.exact = true;
  return (*at | 0x20) != 'e' || read_exponent(at, out);
}

// 10^-44 to 10^44, each the nearest double; those from 10^0 to 10^22 exactly.
constexpr int kMostTens = 44, kExactTens = 22;
constexpr double kTens[] = {
    1e-44, 1e-43, 1e-42, 1e-41, 1e-40, 1e-39, 1e-38, 1e-37, 1e-36, 1e-35, 1e-34, 1e-33, 1e-32, 1e-31, 1e-30,
    1e-29, 1e-28, 1e-27, 1e-26, 1e-25, 1e-24, 1e-23, 1e-22, 1e-21, 1e-20, 1e-19, 1e-18, 1e-17, 1e-16, 1e-15,
    1e-14, 1e-13, 1e-12, 1e-11, 1e-10, 1e-9,  1e-8,  1e-7,  1e-6,  1e-5,  1e-4,  1e-3,  1e-2,  1e-1,  1e0,
    1e1,   1e2,   1e3,   1e4,   1e5,   1e6,   1e7,   1e8,   1e9,   1e10,  1e11,  1e12,  1e13,  1e14,  1e15,
    1e16,  1e17,  1e18,  1e19,  1e20,  1e21,  1e22,  1e23,  1e24,  1e25,  1e26,  1e27,  1e28,  1e29,  1e30,
    1e31,  1e32,  1e33,  1e34,  1e35,  1e36,  1e37,  1e38,  1e39,  1e40,  1e41,  1e42,  1e43,  1e44};

// The nearest double, where one rounding makes it (Clinger 1990).
bool nearest(const Decimal& number, double& out) {
  if (!number.exact || number.digits > uint64_t{1} << 53) return false;
  if (number.exponent < -kExactTens || number.exponent > kExactTens) return false;
  const auto digits = static_cast<double>(number.digits);
  out = number.exponent < 0 ? digits / kTens[kMostTens - number.exponent]
                            : digits * kTens[kMostTens + number.exponent];
  return true;
}

// The float next to the nearest double, where it is the same for every double that is near. Three roundings
// (digits, power, product), each of at most half a unit in the last place of what it makes, leave fewer than
// 8 such units to the exact number: so unless `value` is that close to the middle between two floats, it, the
// exact number and its nearest double lie on the same side.
bool nearest(const Decimal& number, float& out) {
  if (!number.exact || number.digits >> 63 != 0) return false;
  if (number.exponent < -kMostTens || number.exponent > kMostTens) return false;
  const double value =
      static_cast<double>(static_cast<int64_t>(number.digits)) * kTens[kMostTens + number.exponent];
  out = static_cast<float>(value);
  if (number.digits == 0) return true;
  constexpr uint64_t kBelow = (uint64_t{1} << 29) - 1, kMiddle = uint64_t{1} << 28;  // of 52 bits against 23
  const uint64_t from_middle = (std::bit_cast<uint64_t>(value) & kBelow) - (kMiddle - 8);
  return from_middle > 16 && value > double{std::numeric_limits<float>::min()} &&
         value < double{std::numeric_limits<float>::max()};
}

template <class T>
bool read_float(const char*& at, T& out) {
  if (*at == 'n') {
    if (std::memcmp(at, "null", 4) != 0) return false;
    at += 4;
    out = std::numeric_limits<T>::quiet_NaN();
    return true;
  }
  const char* const begin = at;
  Decimal number;
  if (!read_decimal(at, number)) return false;
  if (nearest(number, out)) [[likely]] {
    using Bits = std::conditional_t<sizeof(T) == 4, uint32_t, uint64_t>;
    constexpr int kSign = 8 * sizeof(T) - 1;
    out = std::bit_cast<T>(std::bit_cast<Bits>(out) ^
                           (Bits{number.negative} << kSign));  // no branch: any may be
    return true;
  }
  double value = 0;
  if (const auto [end, error] = std::from_chars(begin, at, value); error != std::errc() || end != at)
    return false;
  out = static_cast<T>(value);
  return !std::isinf(out);
}

template <class T>
bool read_integer(const char*& at, T& out) {
  Decimal number;
  if (!read_decimal(at, number) || !number.whole || !number.exact) return false;
  constexpr auto kMost = static_cast<uint64_t>(std::numeric_limits<T>::max());
  if (number.digits > kMost || (number.negative && std::is_unsigned_v<T>)) return false;
  out = static_cast<T>(number.negative ? -static_cast<int64_t>(number.digits) : number.digits);
  return true;
}

template <class T>
class Reader {
 public:
  Reader(const char* at, const Tensor& tensor, T* out) : at_(at), tensor_(tensor), out_(out) {}

  // Where the list ends; nullptr where it is wrong.
  const char* read() { return read(0) ? at_ : nullptr; }

 private:
  // The list that begins here, at `level` of the nesting.
  bool read(size_t level) {
    at_ = skip_blanks(at_ + 1);
    const bool innermost = level + 1 == tensor_.rank;
    if (*at_ != '[') {
      if (innermost) return read_values(static_cast<size_t>(tensor_.shape[level]));
      return level == 0 && read_values(tensor_.count);
    }
    if (level + 1 >= tensor_.rank) return false;
    for (int64_t left = tensor_.shape[level]; left > 0; --left) {
      if (*at_ != '[' || !read(level + 1)) return false;
      at_ = skip_blanks(at_);
      if (*at_ != (left > 1 ? ',' : ']')) return false;
      at_ = left > 1 ? skip_blanks(at_ + 1) : at_ + 1;
    }
    return true;
  }

  bool read_values(size_t count) {
    if (count == 0) return false;
    T* out = out_;
    const char* at = at_;
    for (T* const last = out + count - 1; true; ++out) {
      if constexpr (std::is_floating_point_v<T>) {
        if (!read_float(at, *out)) return false;
      } else {
        if (!read_integer(at, *out)) return false;
      }
      if (*at != ',') at = skip_blanks(at);
      if (*at != (out == last ? ']' : ',')) return false;
      ++at;
      if (out == last) break;
      if (*at == ' ') ++at;
      if (is_blank(*at)) at = skip_blanks(at);
    }
    out_ = out + 1;
    at_ = at;
    return true;
  }

  const char* at_;
  const Tensor& tensor_;
  T* out_;
};

template <class T>
bool read_as(std::string_view text, const Tensor& tensor, void* out) {
  const char* const end = Reader<T>(text.data(), tensor, static_cast<T*>(out)).read();
  return end == text.data() + text.size();
}

}  // namespace

size_t number_list_size(std::string_view text) {
  size_t open = 0, at = 0;
  while (true) {
    while (at < text.size() && (text[at] == '[' || is_blank(text[at]))) open += text[at++] == '[' ? 1 : 0;
    if (open == 0 || open > kMaxRank || at >= text.size() || text[at] == '"') return 0;
    at = text.find(']', at);
    while (at < text.size() && (text[at] == ']' || is_blank(text[at]))) {
      if (text[at++] == ']' && --open == 0) return at;
    }
    if (at >= text.size() || text[at] != ',') return 0;
    ++at;
  }
}

bool read_number_list(std::string_view text, const Tensor& tensor, void* out) {
  switch (tensor.type) {
    case DataType::kUint8: return read_as<uint8_t>(text, tensor, out);
    case DataType::kUint16: return read_as<uint16_t>(text, tensor, out);
    case DataType::kUint32: return read_as<uint32_t>(text, tensor, out);
    case DataType::kUint64: return read_as<uint64_t>(text, tensor, out);
    case DataType::kInt8: return read_as<int8_t>(text, tensor, out);
    case DataType::kInt16: return read_as<int16_t>(text, tensor, out);
    case DataType::kInt32: return read_as<int32_t>(text, tensor, out);
    case DataType::kInt64: return read_as<int64_t>(text, tensor, out);
    case DataType::kFloat32: return read_as<float>(text, tensor, out);
    case DataType::kFloat64: return read_as<double>(text, tensor, out);
    default: return false;
  }
}

}  // namespace maas::wire
