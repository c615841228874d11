// TLS as the options say.
#pragma once

#include <boost/asio/ssl/context.hpp>
#include <memory>

#include "maas/serve/options.h"

namespace maas::serve {

// nullptr where the options name no certificate. Throws InvalidArgument where its files are no use.
std::unique_ptr<boost::asio::ssl::context> make_tls(const ServerOptions& options);

}  // namespace maas::serve
