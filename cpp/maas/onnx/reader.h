// ONNX bytes to a Graph. Strict: sizes are checked before anything is allocated, and what the engine does not
// know is refused by name. Nodes of any opset from 9 on come out as those of kOpset and kMlOpset.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "maas/base/export.h"
#include "maas/graph/graph.h"

namespace maas {

struct ReadLimits {
  size_t bytes = size_t{2} << 30;  // of the file, and of all constants together
  size_t nodes = 100'000;
  size_t names = 2'000'000;  // in all: of values, each time one is read or made, nodes, attributes
  size_t name_bytes = 4096;  // of one name
  size_t rank = 16;
};

// A checked graph. External data are refused. Throws FormatError or Unsupported.
MAAS_API Graph read_onnx(std::string_view bytes, const ReadLimits& limits = {});

// The same from a file, external data read from the file's folder and nowhere else. Throws NotFound too.
MAAS_API Graph read_onnx_file(const std::string& path, const ReadLimits& limits = {});

}  // namespace maas
