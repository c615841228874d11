// What every protocol's codec decodes into and encodes from: a question to a model and its answer.
//
// One Request a connection or thread, reused: clear() keeps what was allocated, so a steady stream of like
// requests allocates nothing. All views point into the bytes that were decoded or into the Request itself and
// hold until either changes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

#include "maas/wire/data_type.h"

namespace maas::wire {

inline constexpr size_t kMaxRank = 8;
inline constexpr size_t kMaxTensors = 1024;  // inputs or asked outputs of one request

// Row-major, packed, little-endian, at any alignment; a kBytes element is one std::string_view (aligned).
struct Tensor {
  std::string_view name;
  DataType type = DataType::kFloat32;
  uint8_t rank = 0;
  int64_t shape[kMaxRank] = {};  // each >= 0; the product does not overflow and is `count`
  size_t count = 0;              // elements
  const void* data = nullptr;

  std::span<const int64_t> dims() const { return {shape, rank}; }
};

// An output that the request names; without any it wants all of the model's.
struct WantedOutput {
  std::string_view name;
  std::optional<bool> binary;  // else the request's binary_output
};

// Asked before one request takes so many more bytes than most do; false: there is no memory for them now.
using MayTake = std::function<bool(size_t bytes)>;
inline constexpr size_t kKeptBytes = 64 << 10;  // of one request's room; above, MayTake is asked

// Memory for values that do not lie in the decoded bytes as the engine needs them (numbers from JSON, texts).
// Grows in blocks that never move; reset() keeps the largest.
class ValueRoom {
 public:
  // `bytes` bytes aligned to 8, uninitialised; nullptr where the limit would be passed. Throws std::bad_alloc
  // where there is no memory or `may_take` says no.
  void* take(size_t bytes);
  void reset();
  // Keeps at most so many bytes; before reset(), when no value is used any more.
  void give_back(size_t kept);
  void set_limit(size_t bytes) { limit_ = bytes; }
  void set_budget(MayTake may_take) { may_take_ = std::move(may_take); }

 private:
  struct Block {
    std::unique_ptr<std::byte[]> bytes;
    size_t size = 0;
  };
  std::vector<Block> blocks_;
  MayTake may_take_;
  size_t used_ = 0, total_ = 0, limit_ = size_t{1} << 30;  // used_: of the last block; total_: of all
};

struct Request {
  std::string_view model, version;  // version "": the server's choice
  std::string_view id;              // echoed; raw frames have a number instead
  std::vector<Tensor> inputs;
  std::vector<WantedOutput> outputs;
  bool binary_output = false;  // for outputs that do not say
  uint64_t timeout_us = 0;     // from arrival; 0: none
  ValueRoom room;

  void clear();
  // Gives back what an unusually large request took; before clear(), when no view is used any more.
  void give_back();
};

struct Answer {
  std::string_view model, version, id;
  std::span<const Tensor> outputs;
};

}  // namespace maas::wire
