// The byte form of every metric state, little-endian:
//
//   offset  size  field
//        0     4  magic "MAST"
//        4     2  type id (one a state class)
//        6     2  schema version of that class
//        8     8  config hash: FNV-1a of the config text
//       16     4  size of the config text, at most kMaxConfig
//       20     .  config text (JSON; opaque here), then the payload up to the end
//
// The reader trusts nothing: lengths are checked against what is left before anything is allocated, and every
// violation throws FormatError.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>
#include <vector>

#include "maas/base/error.h"

namespace maas {

static_assert(std::endian::native == std::endian::little, "the byte form is the memory form");

inline constexpr size_t kMaxConfig = size_t{1} << 20;

class StateWriter {
 public:
  StateWriter(uint16_t type_id, uint16_t version, std::string_view config);

  template <class T>
  void put(T value) {
    put_all(&value, 1);
  }
  template <class T>
  void put_all(const T* values, size_t count) {
    if (count > 0) bytes_.append(reinterpret_cast<const char*>(values), count * sizeof(T));
  }
  std::string take() { return std::move(bytes_); }

 private:
  std::string bytes_;
};

class StateReader {
 public:
  // Checks the header; `bytes` must outlive the reader.
  StateReader(std::string_view bytes, uint16_t type_id, uint16_t version);

  const std::string& config() const { return config_; }
  size_t left() const { return bytes_.size(); }
  void require(bool condition, const char* expected) const {
    if (!condition) fail(expected);
  }
  void require_end() const { require(bytes_.empty(), "no bytes after the payload"); }

  template <class T>
  T get() {
    require(bytes_.size() >= sizeof(T), "a longer payload");
    T value;
    std::memcpy(&value, bytes_.data(), sizeof(T));
    bytes_.remove_prefix(sizeof(T));
    return value;
  }
  template <class T>
  std::vector<T> get_all(uint64_t count) {
    require(count <= bytes_.size() / sizeof(T), "a longer payload");
    std::vector<T> values(count);
    if (count > 0) std::memcpy(values.data(), bytes_.data(), count * sizeof(T));
    bytes_.remove_prefix(count * sizeof(T));
    return values;
  }

 private:
  [[noreturn]] void fail(const char* expected) const;

  std::string_view bytes_;
  std::string config_;
};

// What every state class has: kTypeId, kVersion, config(), write(StateWriter&), read(StateReader&),
// merge(const State&). A state is a value; one thread at a time.
template <class State>
std::string state_to_bytes(const State& state) {
  StateWriter out(State::kTypeId, State::kVersion, state.config());
  state.write(out);
  return out.take();
}

template <class State>
State state_from_bytes(std::string_view bytes) {
  StateReader in(bytes, State::kTypeId, State::kVersion);
  State state(in.config());
  state.read(in);
  in.require_end();
  return state;
}

// Throws InvalidArgument unless both states were made with the same configuration.
void require_same_config(const std::string& mine, const std::string& other);

}  // namespace maas
