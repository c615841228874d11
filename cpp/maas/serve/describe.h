// What models say of themselves, the same in every protocol.
#pragma once

#include <string>
#include <string_view>

#include "maas/serve/worker.h"
#include "maas/wire/status.h"

namespace maas::serve {

// The Open Inference Protocol's model metadata as JSON; "" where there is no such model or version.
std::string model_metadata(ModelReader& models, std::string_view name, std::string_view version);

wire::Status unknown_model(std::string_view name);

// Of a model that is not in the table: kOverloaded, with the reason, where the server still waits for it.
wire::Status missing_model(const Worker& worker, std::string_view name);

// {"ready":true,...} or, with the reason, what keeps the server from it.
struct ReadyText {
  bool ready;
  std::string text;  // JSON where ready, else words
};
ReadyText describe_readiness(const Worker& worker);

}  // namespace maas::serve
