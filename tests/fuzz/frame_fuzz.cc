// Any bytes as raw frames: decoded or refused, and what was decoded can be read to its end.
#include <cstdint>
#include <cstring>
#include <memory>

#include "maas/wire/frame.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  auto bytes = std::make_unique<char[]>(size);
  std::memcpy(bytes.get(), data, size);
  const std::string_view text(bytes.get(), size);
  size_t found = 0;
  maas::wire::Status status;
  (void)maas::wire::find_frame(text, 4096, found, status);
  maas::wire::FrameHead head;
  maas::wire::Request request;
  if (!maas::wire::decode_frame(text, head, request).ok()) return 0;
  volatile uint64_t sum = 0;
  for (const auto& tensor : request.inputs) {
    if (tensor.type == maas::wire::DataType::kBytes) {
      const auto* texts = static_cast<const std::string_view*>(tensor.data);
      for (size_t i = 0; i < tensor.count; ++i) {
        for (const char each : texts[i]) sum = sum + static_cast<unsigned char>(each);
      }
      continue;
    }
    const auto* values = static_cast<const unsigned char*>(tensor.data);
    for (size_t i = 0; i < tensor.count * maas::wire::item_size(tensor.type); ++i) sum = sum + values[i];
  }
  return 0;
}
