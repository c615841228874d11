// A graph on its way to a Program. The passes of the compiler rewrite it one after the other.
#pragma once

#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "maas/graph/graph.h"
#include "maas/graph/op.h"

namespace maas {

struct Draft {
  std::vector<Value> inputs, outputs;  // outputs: what the Program is to put out
  std::vector<Node> nodes;             // in an order that runs
  Types types;
  // What is known before a run: initializers, known values of the check, results of folding. Those that
  // mention the batch are only read as shapes.
  std::unordered_map<std::string, Tensor> constants;
  // Values that are the same numbers in the same order as another, in whose place they lie; never a chain.
  std::unordered_map<std::string, std::string> aliases;

  const std::string& root(const std::string& name) const {
    const auto found = aliases.find(name);
    return found == aliases.end() ? name : found->second;
  }
  const Tensor* constant(const std::string& name) const {
    const auto found = constants.find(name);
    return found == constants.end() ? nullptr : &found->second;
  }
  bool is_output(std::string_view name) const;
};

// How often a value is read: by nodes, and by being put out. Absent: never.
std::unordered_map<std::string, size_t> count_uses(const Draft& draft);

// The node with the types and constants that the draft knows of its inputs.
NodeView view_node(const Draft& draft, const Node& node);

// Removes nodes none of whose outputs is used.
void prune(Draft& draft);

// Turns nodes that only rename their input (Identity, Reshape, ...) into aliases.
void find_aliases(Draft& draft);

// Runs the nodes of which everything is known through the same steps as a run would, once.
// Throws Unsupported where the results would hold much more than the model itself.
void fold_constants(Draft& draft);

// Joins chains of nodes that one step can do, without changing a bit of the result.
void fuse(Draft& draft);

// Tenths of a nanosecond that a row of a batch takes, roughly.
size_t row_cost(const Draft& draft);

}  // namespace maas
