// The values of header fields.
#pragma once

#include <string_view>

#include "maas/wire/http_parser.h"

namespace maas::wire {

// ASCII letters in any case.
bool same_ignoring_case(std::string_view a, std::string_view b);

// The value of Content-Encoding.
ContentCoding read_coding(std::string_view value);

// Whether a value of Accept-Encoding names the coding with a weight above 0 (RFC 9110, 12.5.3); "*" names
// none here.
bool accepts_coding(std::string_view value, std::string_view coding);

}  // namespace maas::wire
