// What Python calls Graph: a graph that check_graph has accepted, with the type of every value.
#pragma once

#include "maas/graph/graph.h"

namespace maas::bindings {

// Immutable once made.
struct CheckedGraph {
  explicit CheckedGraph(Graph unchecked) : graph(std::move(unchecked)), types(check_graph(graph).types) {}

  Graph graph;
  Types types;
};

}  // namespace maas::bindings
