// A JSON list of values, nested or flat, into a tensor's own type. Knows simdjson: included by codecs only.
#pragma once

#include <simdjson.h>

#include <cstddef>

#include "maas/wire/message.h"
#include "maas/wire/status.h"

namespace maas::wire {

// Reads tensor.count values of tensor.type into `room` and sets tensor.data. Lists are nested as the shape
// is, or flat. `most`: more values than the text can hold; a larger shape is refused before anything is
// allocated.
Status read_json_tensor(simdjson::ondemand::value data, Tensor& tensor, ValueRoom& room, size_t most);

}  // namespace maas::wire
