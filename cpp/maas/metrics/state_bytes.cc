#include "maas/metrics/state_bytes.h"

namespace maas {
namespace {

constexpr uint32_t kMagic = 0x5453414d;  // "MAST"

uint64_t fnv1a(std::string_view text) {
  uint64_t hash = 0xcbf29ce484222325;
  for (const char c : text) hash = (hash ^ static_cast<uint8_t>(c)) * 0x100000001b3;
  return hash;
}

}  // namespace

StateWriter::StateWriter(uint16_t type_id, uint16_t version, std::string_view config) {
  if (config.size() > kMaxConfig) throw_invalid("metric state", "expected a configuration of at most 1 MiB");
  put(kMagic);
  put(type_id);
  put(version);
  put(fnv1a(config));
  put(static_cast<uint32_t>(config.size()));
  put_all(config.data(), config.size());
}

StateReader::StateReader(std::string_view bytes, uint16_t type_id, uint16_t version) : bytes_(bytes) {
  require(get<uint32_t>() == kMagic, "the bytes of a metric state");
  require(get<uint16_t>() == type_id, "a state of this metric");
  require(get<uint16_t>() == version, "a schema version that this build reads");
  const auto hash = get<uint64_t>();
  const size_t size = get<uint32_t>();
  require(size <= kMaxConfig && size <= bytes_.size(), "a configuration inside the bytes");
  config_ = std::string(bytes_.substr(0, size));
  bytes_.remove_prefix(size);
  require(fnv1a(config_) == hash, "a configuration that matches its hash");
}

void StateReader::fail(const char* expected) const {
  throw Error(ErrorCode::kFormatError, "metric state", std::string("expected ") + expected);
}

void require_same_config(const std::string& mine, const std::string& other) {
  if (mine != other) {
    throw_invalid("metric state", "expected a state of the same configuration " + mine + ", got " + other);
  }
}

}  // namespace maas
