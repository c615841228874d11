#include "maas/program/draft.h"

#include <algorithm>

namespace maas {

namespace {

constexpr std::string_view kRenaming[] = {"Identity", "Reshape",   "Flatten",
                                          "Squeeze",  "Unsqueeze", "Dropout"};

bool only_renames(const Node& node) {
  return node.domain.empty() &&
         std::find(std::begin(kRenaming), std::end(kRenaming), node.op) != std::end(kRenaming) &&
         (node.outputs.size() < 2 || node.outputs[1].empty());
}

}  // namespace

bool Draft::is_output(std::string_view name) const {
  return std::any_of(outputs.begin(), outputs.end(), [&](const Value& value) { return value.name == name; });
}

std::unordered_map<std::string, size_t> count_uses(const Draft& draft) {
  std::unordered_map<std::string, size_t> uses;
  for (const Node& node : draft.nodes) {
    for (const std::string& input : node.inputs) ++uses[draft.root(input)];
  }
  for (const Value& output : draft.outputs) ++uses[draft.root(output.name)];
  return uses;
}

NodeView view_node(const Draft& draft, const Node& node) {
  std::vector<const ValueType*> types;
  std::vector<const Tensor*> constants;
  for (const std::string& input : node.inputs) {
    types.push_back(input.empty() ? nullptr : &draft.types.at(input));
    constants.push_back(input.empty() ? nullptr : draft.constant(input));
  }
  return {node, std::move(types), std::move(constants)};
}

void prune(Draft& draft) {
  auto uses = count_uses(draft);
  const auto used = [&](const std::string& name) {
    return !name.empty() && draft.constant(name) == nullptr && uses[draft.root(name)] > 0;
  };
  std::vector<Node> kept;
  for (auto node = draft.nodes.rbegin(); node != draft.nodes.rend(); ++node) {
    if (std::any_of(node->outputs.begin(), node->outputs.end(), used)) {
      kept.push_back(std::move(*node));
    } else {
      for (const std::string& input : node->inputs) --uses[draft.root(input)];
    }
  }
  std::reverse(kept.begin(), kept.end());
  draft.nodes = std::move(kept);
}

void find_aliases(Draft& draft) {
  std::vector<Node> kept;
  for (Node& node : draft.nodes) {
    for (std::string& input : node.inputs) {
      // Of one type too: what reads it need not see the difference.
      const std::string& root = draft.root(input);
      if (root != input && draft.types.at(root).shape == draft.types.at(input).shape) input = root;
    }
    if (only_renames(node) && draft.constant(node.inputs[0]) == nullptr) {
      draft.aliases.emplace(node.outputs[0], draft.root(node.inputs[0]));
    } else {
      kept.push_back(std::move(node));
    }
  }
  draft.nodes = std::move(kept);
}

}  // namespace maas
