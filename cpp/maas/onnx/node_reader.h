// NodeProto and ValueInfoProto to nodes and values, as the file has them.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "maas/graph/graph.h"
#include "maas/onnx/read_context.h"

namespace maas {

// The domain "ai.onnx" becomes "", which means the same.
Node read_node(std::string_view bytes, ReadContext& context);

// What a file declares of an input or output.
struct Declared {
  enum Kind : uint8_t { kNone, kTensor, kOther } kind = kNone;  // kOther: sequence, map, optional, sparse
  int32_t data_type = 0;
  bool has_shape = false;
  Shape shape;  // kUnknown where a dimension has no fixed size

  static constexpr int64_t kUnknown = -1;
};
struct DeclaredValue {
  std::string name;
  Declared declared;
};
DeclaredValue read_value(std::string_view bytes, ReadContext& context);

}  // namespace maas
