#include "maas/serve/request_body.h"

#include <algorithm>
#include <new>

#include "maas/wire/content_coding.h"

namespace maas::serve {

void RequestBody::receive(const wire::HttpRequest& request, wire::HttpParser& parser) {
  bytes_ = request.body;
  coding_ = request.coding;
  json_size_ = request.json_size;
  if (!request.chunked) return;
  unchunked_ = parser.take_body();
  bytes_ = std::string_view(unchunked_).substr(0, bytes_.size());
  hold(unchunked_);
}

bool RequestBody::is_short() {
  if (coding_ == wire::ContentCoding::kUnknown) return true;
  if (!expand(std::min(options_.short_expanded, options_.expanded_bytes)).ok()) return false;
  return json_size_.value_or(bytes_.size()) <= options_.short_json;
}

wire::Status RequestBody::expand(size_t most) {
  if (coding_ == wire::ContentCoding::kIdentity) return {};
  if (coding_ == wire::ContentCoding::kUnknown)
    return {ErrorCode::kUnsupported, "expected a body in gzip, deflate or as it is"};
  wire::Status status =
      wire::expand(bytes_, coding_, most, expanded_, [this](size_t bytes) { return take(bytes); });
  if (!status.ok()) return status;
  const size_t size = expanded_.size();
  expanded_.append(wire::kBodyPadding, '\0');
  bytes_ = std::string_view(expanded_).substr(0, size);
  coding_ = wire::ContentCoding::kIdentity;
  return {};
}

wire::Status RequestBody::decode(const ServedModel& model, wire::InferDecoder& decoder,
                                 wire::Request& request) noexcept try {
  if (wire::Status status = expand(options_.expanded_bytes); !status.ok()) return status;
  if (json_size_ == size_t{0}) return model.take_raw(bytes_, request);
  return decoder.decode(bytes_, json_size_.value_or(bytes_.size()), request);
} catch (const std::bad_alloc&) {
  return {ErrorCode::kOverloaded, "no memory for this body now: try again later"};
}

void RequestBody::give_back() {
  for (std::string* each : {&unchunked_, &expanded_}) {
    if (each->capacity() > wire::kKeptBytes) std::string().swap(*each);
  }
  share_.hold(0);
}

}  // namespace maas::serve
