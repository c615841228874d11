// What a request over HTTP needs of whoever sends it.
#pragma once

#include <string_view>

#include "maas/serve/http_routes.h"
#include "maas/serve/options.h"
#include "maas/serve/tokens.h"
#include "maas/wire/http_parser.h"

namespace maas::serve {

// Health and metrics, where the options leave them open.
bool is_open(const wire::HttpRequest& request, const Route& route, const ServerOptions& options);

// The token of an Authorization field; a text of another form than "Bearer TOKEN" is no token, but not
// nothing.
std::string_view bearer_token(std::string_view authorization);

// A model's own pages need what its predictions need; what reads anything else any token; all else "admin".
Need need_of(const wire::HttpRequest& request, const Route& route);

}  // namespace maas::serve
