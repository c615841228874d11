// An answer as the Open Inference Protocol has it: JSON, or JSON with binary tensors behind it.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>

#include "maas/wire/message.h"
#include "maas/wire/status.h"

namespace maas::wire {

// Appends the body to `out`. `binary[i]` says how output i travels. `json_size` becomes the bytes of JSON at
// its front, for Inference-Header-Content-Length, which is due exactly where one output is binary.
//
// Floats are written with the fewest digits that read back to the same bits; NaN is null. JSON has no
// infinity: an answer with one is refused with kUnsupported, `out` is as before, and the text says to ask for
// binary.
Status encode_answer(const Answer& answer, std::span<const bool> binary, std::string& out, size_t& json_size);

// {"error":"..."}
void encode_error(std::string_view text, std::string& out);

// "text" with its quotes; what is not UTF-8 becomes U+FFFD.
void append_json_text(std::string_view text, std::string& out);

}  // namespace maas::wire
