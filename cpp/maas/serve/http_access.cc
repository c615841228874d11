#include "maas/serve/http_access.h"

#include "maas/wire/http_fields.h"

namespace maas::serve {

namespace {

constexpr std::string_view kMetrics = "/metrics", kIndex = "/v2/repository/index";

}  // namespace

bool is_open(const wire::HttpRequest& request, const Route& route, const ServerOptions& options) {
  switch (route.endpoint) {
    case Endpoint::kLive:
    case Endpoint::kReady:
    case Endpoint::kServerMetadata: return options.open_health;
    case Endpoint::kOther: return options.open_metrics && request.path == kMetrics;
    default: return false;
  }
}

std::string_view bearer_token(std::string_view authorization) {
  constexpr std::string_view kBearer = "Bearer ";
  if (!wire::same_ignoring_case(authorization.substr(0, kBearer.size()), kBearer)) return authorization;
  return authorization.substr(kBearer.size());
}

Need need_of(const wire::HttpRequest& request, const Route& route) {
  const bool reads = request.method == wire::Method::kGet || request.method == wire::Method::kHead;
  const bool for_control = route.endpoint == Endpoint::kOther;
  if (for_control && !reads && request.path != kIndex) return {Need::Kind::kAdmin, {}};
  if (!route.model.empty()) return {Need::Kind::kPredict, route.model};
  // Spelled another way, a path may be a model's for the control plane.
  const bool spelled = for_control && request.path.find('%') != std::string_view::npos;
  return {spelled ? Need::Kind::kAdmin : Need::Kind::kRead, {}};
}

}  // namespace maas::serve
