// Any bytes as the body of an Open Inference Protocol request: the first two give the length of the JSON.
#include <cstdint>
#include <cstring>
#include <string>
#include <vector>

#include "maas/wire/infer_decoder.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size < 2) return 0;
  const size_t json = static_cast<size_t>(data[0]) << 8 | data[1];
  std::vector<char> body(size - 2 + maas::wire::kBodyPadding);
  std::memcpy(body.data(), data + 2, size - 2);
  static maas::wire::InferDecoder decoder;
  maas::wire::Request request;
  const auto status = decoder.decode({body.data(), size - 2}, json > size - 2 ? size - 2 : json, request);
  if (!status.ok()) return 0;
  volatile uint64_t sum = 0;  // what was accepted can be read to its end
  for (const auto& tensor : request.inputs) {
    const auto* bytes = static_cast<const unsigned char*>(tensor.data);
    if (tensor.type == maas::wire::DataType::kBytes) {
      const auto* texts = static_cast<const std::string_view*>(tensor.data);
      for (size_t i = 0; i < tensor.count; ++i) {
        for (const char each : texts[i]) sum = sum + static_cast<unsigned char>(each);
      }
    } else {
      for (size_t i = 0; i < tensor.count * maas::wire::item_size(tensor.type); ++i) sum = sum + bytes[i];
    }
  }
  return 0;
}
