// Any bytes as HTTP requests: whole and byte by byte give the same requests and the same refusal, which may
// come earlier where more of the head is seen at once.
#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <string>

#include "maas/wire/content_coding.h"
#include "maas/wire/http_parser.h"
#include "maas/wire/infer_decoder.h"

namespace {

using maas::wire::HttpParser;
using State = HttpParser::State;

struct Found {
  std::string requests;
  int refused = 0;
};

Found read(const uint8_t* data, size_t size, size_t step) {
  maas::wire::HttpLimits limits;
  limits.head = 512;
  limits.body = 1024;
  HttpParser parser(limits);
  Found found;
  size_t at = 0;
  for (size_t end = std::min(step, size);; end = std::min(end + step, size)) {
    auto bytes = std::make_unique<char[]>(end - at + maas::wire::kBodyPadding);
    std::memcpy(bytes.get(), data + at, end - at);
    State state = parser.parse({bytes.get(), end - at});
    size_t done = 0;
    while (state == State::kDone) {
      const auto& request = parser.request();
      found.requests += std::string(request.target) + "|" + std::string(request.body) + "\n";
      for (const auto& field : request.fields) {
        found.requests += std::string(field.name) + "=" + std::string(field.value) + ";";
      }
      std::string expanded;
      if (request.coding == maas::wire::ContentCoding::kGzip) {
        (void)maas::wire::expand(request.body, request.coding, 4096, expanded).ok();
      }
      done += parser.size();
      if (parser.size() == 0) std::abort();
      parser.reset();
      state = parser.parse({bytes.get() + done, end - at - done});
    }
    at += done;
    if (state == State::kBad) {
      found.refused = parser.status();
      return found;
    }
    if (end == size) return found;
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  const Found whole = read(data, size, size), slow = read(data, size, 1);
  if (whole.requests != slow.requests) std::abort();
  if (slow.refused != 0 && whole.refused == 0) std::abort();
  return 0;
}
