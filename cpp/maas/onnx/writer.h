// A Graph as ONNX bytes: the same graph gives the same bytes.
#pragma once

#include <string>

#include "maas/graph/graph.h"

namespace maas {

std::string write_onnx(const Graph& graph);

}  // namespace maas
