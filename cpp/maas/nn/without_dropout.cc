#include "maas/nn/without_dropout.h"

#include <algorithm>
#include <set>
#include <unordered_map>

namespace maas {

Graph without_dropout(Graph graph) {
  const auto is_dropout = [](const Node& node) { return node.domain.empty() && node.op == "Dropout"; };
  if (std::none_of(graph.nodes.begin(), graph.nodes.end(), is_dropout)) return graph;
  std::unordered_map<std::string, std::string> sources;  // of what dropouts made
  std::set<std::string> candidates, read;
  std::vector<Node> kept;
  for (Node& node : graph.nodes) {
    for (std::string& input : node.inputs) {
      const auto source = sources.find(input);
      if (source != sources.end()) input = source->second;
    }
    if (is_dropout(node)) {
      candidates.insert(node.inputs.begin() + 1, node.inputs.end());
      const std::string& made = node.outputs[0];
      if (std::none_of(graph.outputs.begin(), graph.outputs.end(),
                       [&](const Value& output) { return output.name == made; })) {
        sources.emplace(made, node.inputs[0]);
        continue;
      }
      node = {"Identity", "", node.name, {node.inputs[0]}, {made}, {}};
    }
    read.insert(node.inputs.begin(), node.inputs.end());
    kept.push_back(std::move(node));
  }
  graph.nodes = std::move(kept);
  for (const char* key : {metadata::kPredict, metadata::kPredictProba, metadata::kDecision}) {
    const auto named = graph.metadata.find(key);
    if (named == graph.metadata.end()) continue;
    const auto source = sources.find(named->second);
    if (source != sources.end()) named->second = source->second;
  }
  for (const std::string& name : candidates) {
    if (read.count(name) == 0) graph.initializers.erase(name);
  }
  return graph;
}

}  // namespace maas
