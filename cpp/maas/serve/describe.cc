#include "maas/serve/describe.h"

#include "maas/wire/infer_encoder.h"
#include "maas/wire/shown.h"

namespace maas::serve {

std::string model_metadata(ModelReader& models, std::string_view name, std::string_view version) {
  const ModelPointer* found = models.find(name, version);
  if (found == nullptr) return {};
  std::string json = "{\"name\":";
  wire::append_json_text((*found)->name(), json);
  json += ",\"versions\":[";
  bool first = true;
  for (const auto& entry : models.map().find(name)->second.versions) {
    if (!first) json += ',';
    wire::append_json_text(entry.first, json);
    first = false;
  }
  json += "],\"platform\":\"maas_engine_onnx\",";
  json += (*found)->described();
  return json += '}';
}

wire::Status missing_model(const Worker& worker, std::string_view name) {
  const auto state = worker.readiness();
  const auto found = state->missing.find(name);
  if (found == state->missing.end()) return unknown_model(name);
  return {ErrorCode::kOverloaded, "model " + wire::shown(name) + " is not there yet: " + found->second};
}

ReadyText describe_readiness(const Worker& worker) {
  const auto state = worker.readiness();
  if (!state->missing.empty()) {
    std::string words = "not ready";
    bool first = true;
    for (const auto& [name, why] : state->missing) {
      words += first ? ": " : "; ";
      words += wire::shown(name);
      words += ": ";
      words += why;
      first = false;
    }
    return {false, std::move(words)};
  }
  std::string json = "{\"ready\":true,\"live\":true";
  if (!state->note.empty()) {
    json += ",\"note\":";
    wire::append_json_text(state->note, json);
  }
  return {true, json += '}'};
}

wire::Status unknown_model(std::string_view name) {
  return {ErrorCode::kNotFound, "Request for unknown model: " + wire::shown(name) + " is not found"};
}

}  // namespace maas::serve
