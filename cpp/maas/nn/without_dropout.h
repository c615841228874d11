// A network as it predicts.
#pragma once

#include "maas/graph/graph.h"

namespace maas {

// The graph without its Dropout nodes and the initializers that only they read: the same predictions.
Graph without_dropout(Graph graph);

}  // namespace maas
