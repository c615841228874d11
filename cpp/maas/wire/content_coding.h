// Bodies in gzip and deflate (RFC 1952; RFC 1950, which HTTP calls deflate), by zlib.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "maas/wire/http_parser.h"
#include "maas/wire/message.h"
#include "maas/wire/status.h"

namespace maas::wire {

// Makes `out` what `bytes` hold, at most `limit` bytes: more is refused before it is made. Several gzip
// members follow one another as if one. `may_take` is asked as `out` grows.
Status expand(std::string_view bytes, ContentCoding coding, size_t limit, std::string& out,
              const MayTake& may_take = {});

// Appends `bytes` compressed, quickly rather than well, to `out`.
Status compress(std::string_view bytes, ContentCoding coding, std::string& out);

}  // namespace maas::wire
