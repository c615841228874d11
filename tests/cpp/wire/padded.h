// A body as the decoder wants it: in memory of its very size plus the padding, so that a sanitizer sees what
// reads further.
#pragma once

#include <cstring>
#include <memory>
#include <string_view>

#include "maas/wire/infer_decoder.h"

namespace maas::wire {

class Padded {
 public:
  explicit Padded(std::string_view text)
      : bytes_(std::make_unique<char[]>(text.size() + kBodyPadding)), size_(text.size()) {
    std::memcpy(bytes_.get(), text.data(), text.size());
  }
  std::string_view text() const { return {bytes_.get(), size_}; }

 private:
  std::unique_ptr<char[]> bytes_;
  size_t size_;
};

}  // namespace maas::wire
