// What models say of themselves, the same in every protocol.
#pragma once

#include <string>
#include <string_view>

#include "maas/serve/model_table.h"
#include "maas/wire/status.h"

namespace maas::serve {

// The Open Inference Protocol's model metadata as JSON; "" where there is no such model or version.
std::string model_metadata(ModelReader& models, std::string_view name, std::string_view version);

wire::Status unknown_model(std::string_view name);

}  // namespace maas::serve
