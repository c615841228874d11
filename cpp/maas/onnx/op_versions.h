// Which versions of which operators the reader knows.
#pragma once

#include <cstdint>
#include <string_view>

namespace maas {

// Opsets read; of older ones, the operators that have not changed since. Newest: what the reader was last
// compared with (tests/python/test_onnx_versions.py).
inline constexpr int64_t kOldestOpset = 6, kNewestOpset = 28;
inline constexpr int64_t kOldestMlOpset = 1, kNewestMlOpset = 5;
inline constexpr int64_t kOldestIr = 3, kNewestIr = 14;

struct OpVersion {
  enum Kind : uint8_t {
    kKnown,
    kUnknown,  // no operator of that name is read
    kLater     // not yet there in that opset
  } kind;
  int64_t since;  // the version that an opset uses; of kLater, the first
};

// domain "" or "ai.onnx.ml".
OpVersion find_version(std::string_view domain, std::string_view op, int64_t opset);

}  // namespace maas
