// A short, printable piece of what a sender sent, for the error that is returned to it.
#pragma once

#include <string>
#include <string_view>

namespace maas::wire {

// 'text' in quotes, at most 64 bytes of it, bytes that are not printable ASCII as \xNN.
inline std::string shown(std::string_view text) {
  constexpr size_t kMost = 64;
  constexpr char kDigits[] = "0123456789abcdef";
  std::string out = "'";
  for (const char each : text.substr(0, kMost)) {
    const auto byte = static_cast<unsigned char>(each);
    if (byte >= 0x20 && byte < 0x7f) {
      out += each;
    } else {
      out += {'\\', 'x', kDigits[byte >> 4], kDigits[byte & 15]};
    }
  }
  return out += text.size() > kMost ? "...'" : "'";
}

}  // namespace maas::wire
