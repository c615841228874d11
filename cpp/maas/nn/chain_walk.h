// Walks the nodes of a graph that is a chain: what comes next, and which inputs are parameters. For
// layer_chain.cc alone.
#pragma once

#include <algorithm>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <utility>
#include <vector>

#include "maas/graph/op.h"
#include "maas/nn/layer_chain.h"

namespace maas {

template <class T>
class ChainWalk {
 public:
  // All outlive the walk.
  ChainWalk(const Graph& graph, const Checked& checked, const PlacedParameters<T>& parameters)
      : graph_(graph), checked_(checked), parameters_(parameters), weights_(find_product_weights(graph)) {
    for (const Node& node : graph.nodes) {
      if (checked.known.count(node.outputs[0]) == 0) nodes_.push_back(&node);
    }
  }

 protected:
  NodeView view_of(const Node& node) const {
    std::vector<const ValueType*> types;
    std::vector<const Tensor*> constants;
    for (const std::string& input : node.inputs) {
      types.push_back(input.empty() ? nullptr : &checked_.types.at(input));
      constants.push_back(constant(input));
    }
    return {node, std::move(types), std::move(constants)};
  }
  const Tensor* constant(const std::string& name) const {
    const auto initializer = graph_.initializers.find(name);
    if (initializer != graph_.initializers.end()) return &initializer->second;
    const auto known = checked_.known.find(name);
    return known == checked_.known.end() ? nullptr : &known->second;
  }

  // The next node, where it is `op` of the present value.
  const Node* following(std::string_view op) const {
    if (next_ == nodes_.size()) return nullptr;
    const Node& node = *nodes_[next_];
    const bool reads = std::find(node.inputs.begin(), node.inputs.end(), value_) != node.inputs.end();
    return node.domain.empty() && node.op == op && reads ? &node : nullptr;
  }

  bool is_parameter(const NodeView& view, size_t input) const {
    return view.has_input(input) && parameters_.count(view.node().inputs[input]) > 0;
  }
  // What has a gradient is read once: layers write theirs. So are a product's weights: they are packed.
  const PlacedParameter<T>& parameter(const NodeView& view, size_t input) {
    if (!is_parameter(view, input)) {
      view.unsupported("expected input " + std::to_string(input) + " to be an initializer");
    }
    const std::string& name = view.node().inputs[input];
    const PlacedParameter<T>& found = parameters_.at(name);
    const bool again = !read_.insert(name).second;
    if (again && (found.at.gradient != nullptr || weights_.count(name) > 0)) {
      view.unsupported("expected '" + name + "' to be read once to train");
    }
    return found;
  }
  // One value a column.
  Parameter<T> vector(const NodeView& view, size_t input, size_t size) {
    const Parameter<T> at = parameter(view, input).at;
    const Shape& shape = view.input(input).shape;
    if (elements(shape) != size || (size != 1 && static_cast<size_t>(shape.back()) != size)) {
      view.unsupported("expected '" + view.node().inputs[input] + "' of " + std::to_string(size) +
                       " values to train, got shape " + shape_text(shape));
    }
    return at;
  }

  // `sigmoid` reads the present value, and the next node is their product.
  bool is_silu(const Node& sigmoid) const {
    const auto found = std::find(nodes_.begin(), nodes_.end(), &sigmoid);
    if (found == nodes_.end() || found + 1 == nodes_.end()) return false;
    const Node& node = **(found + 1);
    const std::vector<std::string> one = {value_, sigmoid.outputs[0]}, other = {one[1], one[0]};
    return node.domain.empty() && node.op == "Mul" && (node.inputs == one || node.inputs == other);
  }

  void advance(const Node& node) { value_ = node.outputs[0]; }

  const Graph& graph_;
  const Checked& checked_;
  const PlacedParameters<T>& parameters_;
  const std::unordered_map<std::string, bool> weights_;  // of products
  std::unordered_set<std::string> read_;                 // of the parameters
  std::vector<const Node*> nodes_;                       // but those whose outputs are known
  size_t next_ = 0;
  std::string value_;  // what the chain has come to
};

}  // namespace maas
