// An HTTP request's body on its way to values: as it came, expanded, decoded. What it takes is counted.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "maas/serve/load.h"
#include "maas/serve/options.h"
#include "maas/serve/served_model.h"
#include "maas/wire/http_parser.h"
#include "maas/wire/infer_decoder.h"
#include "maas/wire/message.h"
#include "maas/wire/status.h"

namespace maas::serve {

// One a call, reused. Used by one thread at a time.
class RequestBody {
 public:
  RequestBody(Load& load, const ServerOptions& options)
      : options_(options), share_(load, options.memory_bytes) {}

  // As it came. In chunks it lies in the parser, which goes on to the next request before this one runs.
  void receive(const wire::HttpRequest& request, wire::HttpParser& parser);
  // Whether decode() is soon done. Expands what becomes short.
  bool is_short();
  // As it was before it was compressed, with padding behind it; at most `most` bytes.
  wire::Status expand(size_t most);
  wire::Status decode(const ServedModel& model, wire::InferDecoder& decoder, wire::Request& request) noexcept;

  std::string_view bytes() const { return bytes_; }

  // Of the values: false where all calls would hold too much.
  bool take(size_t bytes) { return share_.take(bytes); }
  // Of the answer, which is there already.
  void hold(const std::string& text) {
    if (text.capacity() > wire::kKeptBytes) share_.hold_more(text.capacity());
  }
  // When the answer is sent.
  void give_back();

 private:
  const ServerOptions& options_;
  Share share_;  // of this request's bytes and its answer's, but for short ones
  std::string_view bytes_;
  wire::ContentCoding coding_ = wire::ContentCoding::kIdentity;
  std::optional<size_t> json_size_;
  std::string unchunked_, expanded_;
};

}  // namespace maas::serve
