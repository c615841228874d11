// Any bytes as the body of an Open Inference Protocol request: the first two give the length of the JSON.
// What is read without the parser must be what the parser reads.
#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <string>
#include <vector>

#include "maas/wire/infer_decoder.h"

namespace {

using maas::wire::DataType;
using maas::wire::InferDecoder;
using maas::wire::Request;
using maas::wire::Status;

Status decode(InferDecoder& decoder, const std::string& json, const std::string& binary, Request& request,
              std::vector<char>& body) {
  body.assign(json.begin(), json.end());
  body.insert(body.end(), binary.begin(), binary.end());
  body.resize(body.size() + maas::wire::kBodyPadding);
  return decoder.decode({body.data(), body.size() - maas::wire::kBodyPadding}, json.size(), request);
}

bool same_values(const maas::wire::Tensor& a, const maas::wire::Tensor& b) {
  if (a.type != b.type || a.count != b.count) return false;
  if (a.count == 0) return true;
  if (a.type != DataType::kBytes) return std::memcmp(a.data, b.data, a.count * item_size(a.type)) == 0;
  const auto* texts = static_cast<const std::string_view*>(a.data);
  return std::equal(texts, texts + a.count, static_cast<const std::string_view*>(b.data));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size < 2) return 0;
  const std::string text(reinterpret_cast<const char*>(data + 2), size - 2);
  const size_t length = std::min(static_cast<size_t>(data[0]) << 8 | data[1], text.size());
  const std::string json = text.substr(0, length), binary = text.substr(length);
  static InferDecoder decoder, other;
  Request request, parsed;
  std::vector<char> body, again;
  const Status status = decode(decoder, json, binary, request, body);
  // The same to a parser, but too long for lists to be read without it.
  const Status wanted = decode(other, json + std::string(64 << 10, ' '), binary, parsed, again);
  if (status.ok() != wanted.ok()) std::abort();
  if (!status.ok()) return 0;
  if (request.inputs.size() != parsed.inputs.size() || request.id != parsed.id) std::abort();
  for (size_t i = 0; i < request.inputs.size(); ++i) {
    if (!same_values(request.inputs[i], parsed.inputs[i])) std::abort();
  }
  return 0;
}
