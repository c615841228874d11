#include "maas/onnx/read_context.h"

namespace maas {

void ReadContext::allow(size_t count, size_t size) {
  size_t bytes = 0;
  if (__builtin_mul_overflow(count, size, &bytes) || bytes > left_) {
    throw_unsupported("onnx", "the model needs more than the " + std::to_string(limits_.bytes) +
                                  " bytes of memory it is allowed");
  }
  left_ -= bytes;
}

std::string ReadContext::name(std::string_view bytes, const char* what) {
  if (bytes.size() > limits_.name_bytes) {
    throw_unsupported("onnx", std::string(what) + " of " + std::to_string(bytes.size()) +
                                  " bytes is longer than the " + std::to_string(limits_.name_bytes) +
                                  " allowed");
  }
  if (++names_ > limits_.names) {
    throw_unsupported("onnx", "the model has more than " + std::to_string(limits_.names) + " names");
  }
  return text(bytes, what);
}

std::string ReadContext::text(std::string_view bytes, const std::string& where) {
  if (!is_utf8(bytes)) throw_format("onnx", where + " is not UTF-8");
  allow(1, sizeof(std::string) + bytes.size());
  return std::string(bytes);
}

// Unicode 15, table 3-7: no overlong forms, no surrogates, nothing above U+10FFFF.
bool is_utf8(std::string_view bytes) {
  const auto* at = reinterpret_cast<const unsigned char*>(bytes.data());
  const auto* end = at + bytes.size();
  while (at < end) {
    const unsigned char lead = *at++;
    if (lead < 0x80) continue;
    const int more = lead >= 0xF0 ? 3 : lead >= 0xE0 ? 2 : 1;
    if (lead < 0xC2 || lead > 0xF4 || end - at < more) return false;
    const unsigned char least = lead == 0xE0 ? 0xA0 : lead == 0xF0 ? 0x90 : 0x80;
    const unsigned char most = lead == 0xED ? 0x9F : lead == 0xF4 ? 0x8F : 0xBF;
    if (at[0] < least || at[0] > most) return false;
    for (int i = 1; i < more; ++i) {
      if (at[i] < 0x80 || at[i] > 0xBF) return false;
    }
    at += more;
  }
  return true;
}

}  // namespace maas
