// Graph to Program: checks once, drops what no output needs, folds constants, fuses, packs, plans the
// scratch.
#pragma once

#include <string>
#include <vector>

#include "maas/base/export.h"
#include "maas/graph/graph.h"
#include "maas/program/program.h"

namespace maas {

struct CompileOptions {
  std::vector<std::string> outputs;  // names of any values of the graph; empty: the graph's outputs
  bool fuse = true;                  // off: one step a node, for tests; the same bits
};

// Throws FormatError or Unsupported as check_graph does, NotFound for an unknown output.
MAAS_API Program compile(Graph graph, const CompileOptions& options = {});

}  // namespace maas
