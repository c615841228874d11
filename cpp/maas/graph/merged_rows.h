// Products that a file computes with the rows merged into another dimension: Reshape of [N, 3, 8] to [-1, 8],
// MatMul by a matrix, Reshape back. So TensorFlow writes a dense layer on more than two dimensions.
#pragma once

#include <cstddef>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <utility>
#include <vector>

#include "maas/graph/graph.h"

namespace maas {

// For one walk over a graph's nodes in their order.
class MergedRows {
 public:
  // The graph outlives this, and keeps its names.
  explicit MergedRows(Graph& graph) : graph_(graph) {}

  // Turns such a first Reshape into an Identity: the product of [N, 3, 8] holds the same elements in the same
  // order, and only Reshapes read it. Leaves every other node. checked: what stands before the node. Throws
  // Unsupported where one of those Reshapes asks, by 0, for a dimension of the merged product.
  void keep_apart(Node& node, const Checked& checked);

 private:
  using Reader = std::pair<const Node*, size_t>;  // a node and which of its inputs

  bool only_multiplied(const std::string& name, const Types& types);
  bool only_reshaped(const std::string& name);
  const std::vector<Reader>& readers(const std::string& name);

  void refuse_zero(const Node& node, const Checked& checked) const;

  Graph& graph_;
  std::unordered_set<std::string> products_;                      // of rows that were to be merged
  std::unordered_map<std::string, std::vector<Reader>> readers_;  // filled at the first question
};

}  // namespace maas
