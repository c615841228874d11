// What the parts of the reader share: the limits, what the file may still make us allocate, where external
// data may come from; and how they refuse.
#pragma once

#include <string>
#include <string_view>

#include "maas/base/error.h"
#include "maas/onnx/reader.h"

namespace maas {

class ExternalFolder;

[[noreturn]] inline void throw_format(const std::string& where, const std::string& what) {
  throw Error(ErrorCode::kFormatError, where, what);
}
[[noreturn]] inline void throw_unsupported(const std::string& where, const std::string& what) {
  throw Error(ErrorCode::kUnsupported, where, what);
}

class ReadContext {
 public:
  // folder: null where external data are refused; borrowed.
  ReadContext(const ReadLimits& limits, ExternalFolder* folder)
      : limits_(limits), left_(limits.bytes), folder_(folder) {}

  const ReadLimits& limits() const { return limits_; }
  ExternalFolder* folder() const { return folder_; }

  // Call before allocating `count` items of `size` bytes. Throws Unsupported when the file has had its share.
  void allow(size_t count, size_t size);

  // `bytes` as a name ("a value's name" in messages): neither too long nor one too many, UTF-8, paid for.
  std::string name(std::string_view bytes, const char* what);
  // The same for other text, of any length.
  std::string text(std::string_view bytes, const std::string& where);

 private:
  ReadLimits limits_;
  size_t left_;
  size_t names_ = 0;
  ExternalFolder* folder_;
};

bool is_utf8(std::string_view bytes);

}  // namespace maas
