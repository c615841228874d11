#include <cstring>
#include <string>

#include "maas/wire/infer_decoder.h"

namespace maas::wire {

bool count_elements(Tensor& tensor) {
  constexpr size_t kMost = size_t{1} << 62;
  size_t count = 1;
  bool none = false;
  for (const int64_t dim : tensor.dims()) {
    none = none || dim == 0;
    if (dim > 0 && count > kMost / static_cast<size_t>(dim)) return false;
    if (dim > 0) count *= static_cast<size_t>(dim);
  }
  tensor.count = none ? 0 : count;
  return true;
}

Status decode_bytes_tensor(std::string_view bytes, Tensor& tensor, ValueRoom& room) {
  constexpr size_t kLength = sizeof(uint32_t);
  if (tensor.count > bytes.size() / kLength) {  // before anything is allocated
    return invalid("expected " + std::to_string(tensor.count) + " texts behind their lengths, got " +
                   std::to_string(bytes.size()) + " bytes");
  }
  auto* texts = static_cast<std::string_view*>(room.take(tensor.count * sizeof(std::string_view)));
  if (texts == nullptr) return invalid("expected fewer texts");
  for (size_t i = 0; i < tensor.count; ++i) {
    uint32_t length = 0;
    if (bytes.size() >= kLength) std::memcpy(&length, bytes.data(), kLength);
    if (bytes.size() < kLength || length > bytes.size() - kLength) {
      return invalid("expected " + std::to_string(tensor.count) + " texts, text " + std::to_string(i) +
                     " is longer than what is left");
    }
    texts[i] = bytes.substr(kLength, length);
    bytes.remove_prefix(kLength + length);
  }
  if (!bytes.empty()) return invalid("expected nothing behind the last text");
  tensor.data = texts;
  return {};
}

}  // namespace maas::wire
