// Long JSON lists of numbers, read without a tokenizer: what makes up nearly all of a large request.
#pragma once

#include <cstddef>
#include <string_view>

#include "maas/wire/message.h"

namespace maas::wire {

// Readable bytes that must follow the text of a list.
inline constexpr size_t kListPadding = 32;

// Bytes of the list that `text` begins with, up to the bracket that closes it; 0 where this is not plainly a
// list of numbers, nested or flat. Looks at brackets only: what lies between them is for read_number_list.
size_t number_list_size(std::string_view text);

// Reads tensor.count values of tensor.type, a number's, to `out`; JSON's null is NaN in a float tensor.
// `text`: the whole list, nested as the shape is or flat. Numbers are rounded to the nearest double, and that
// to the type.
//
// False for what is not well-formed, does not fit shape and type, or is merely rare (an empty list, a number
// of no use): then `out` holds anything, and a strict reader has to tell.
bool read_number_list(std::string_view text, const Tensor& tensor, void* out);

}  // namespace maas::wire
