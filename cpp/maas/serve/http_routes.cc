#include "maas/serve/http_routes.h"

namespace maas::serve {

namespace {

constexpr std::string_view kModels = "/v2/models/";
constexpr std::string_view kRead = "Allow: GET, HEAD\r\n", kPost = "Allow: POST\r\n";

int hex_value(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

// Appends a part of a path with its %XX decoded; false where one is malformed.
bool decode(std::string_view part, std::string& out) {
  for (size_t i = 0; i < part.size(); ++i) {
    if (part[i] != '%') {
      out += part[i];
      continue;
    }
    if (i + 2 >= part.size()) return false;
    const int high = hex_value(part[i + 1]), low = hex_value(part[i + 2]);
    if (high < 0 || low < 0) return false;
    out += static_cast<char>(high * 16 + low);
    i += 2;
  }
  return true;
}

// The part up to the next '/', taken off the front with it.
std::string_view take_part(std::string_view& path) {
  const size_t end = path.find('/');
  const std::string_view part = path.substr(0, end);
  path = end == std::string_view::npos ? std::string_view() : path.substr(end + 1);
  return part;
}

bool is_read(wire::Method method) { return method == wire::Method::kGet || method == wire::Method::kHead; }

void refuse_method(Route& route, std::string_view allowed) {
  route.endpoint = Endpoint::kWrongMethod;
  route.allowed = allowed;
}

Route fixed(Endpoint endpoint, wire::Method method) {
  Route route;
  route.endpoint = endpoint;
  if (!is_read(method)) refuse_method(route, kRead);
  return route;
}

}  // namespace

Route find_route(wire::Method method, std::string_view path) {
  if (path == "/v2" || path == "/v2/") return fixed(Endpoint::kServerMetadata, method);
  if (path == "/v2/health/live") return fixed(Endpoint::kLive, method);
  if (path == "/v2/health/ready") return fixed(Endpoint::kReady, method);
  Route route;
  if (!path.starts_with(kModels) || path == "/v2/models/stats") return route;
  std::string_view rest = path.substr(kModels.size());
  std::string_view model = take_part(rest), version;
  if (rest.starts_with("versions/")) {
    take_part(rest);
    version = take_part(rest);
    if (version.empty()) return route;
  }
  if (model.empty()) return route;
  if (rest == "infer") {
    route.endpoint = Endpoint::kInfer;
    if (method != wire::Method::kPost) refuse_method(route, kPost);
  } else if (rest.empty() || rest == "ready") {
    route.endpoint = rest.empty() ? Endpoint::kModelMetadata : Endpoint::kModelReady;
    if (!is_read(method)) refuse_method(route, kRead);
  }
  if (!decode(model, route.model) || !decode(version, route.version)) return {};
  return route;
}

}  // namespace maas::serve
