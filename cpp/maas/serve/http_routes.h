// Paths of the Open Inference Protocol.
#pragma once

#include <string>
#include <string_view>

#include "maas/wire/http_parser.h"

namespace maas::serve {

enum class Endpoint {
  kInfer,           // POST /v2/models/{model}[/versions/{version}]/infer
  kModelMetadata,   // GET  /v2/models/{model}[/versions/{version}]
  kModelReady,      // GET  .../ready
  kServerMetadata,  // GET  /v2, /v2/
  kLive,            // GET  /v2/health/live
  kReady,           // GET  /v2/health/ready
  kWrongMethod,     // one of these paths, another method
  kOther,           // for the control plane
};

struct Route {
  Endpoint endpoint = Endpoint::kOther;
  std::string model, version;  // %XX decoded; also of other paths that begin with a model's
  std::string_view allowed;    // kWrongMethod: the line of the head that names the right ones
};

Route find_route(wire::Method method, std::string_view path);

}  // namespace maas::serve
