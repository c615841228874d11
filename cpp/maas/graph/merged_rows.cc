#include "maas/graph/merged_rows.h"

#include <algorithm>

#include "maas/graph/rules.h"

namespace maas {

namespace {

bool is_main(const Node& node, const char* op) { return node.op == op && node.domain.empty(); }

}  // namespace

void MergedRows::keep_apart(Node& node, const Checked& checked) {
  if (!is_main(node, "Reshape") || node.inputs.size() != 2 || node.outputs.size() != 1) return;
  if (products_.count(node.inputs[0]) > 0) refuse_zero(node, checked);
  const auto data = checked.types.find(node.inputs[0]);
  const auto to = graph_.initializers.find(node.inputs[1]);
  if (data == checked.types.end() || to == graph_.initializers.end()) return;
  const Shape& shape = data->second.shape;
  if (!is_batched(shape) || shape.size() < 3 || product(shape, 1, shape.size() - 1) == 1) return;
  const int64_t merged[] = {-1, shape.back()};
  if (to->second.dtype() != DType::kInt64 || to->second.shape() != Shape{2}) return;
  if (!std::ranges::equal(to->second.values<int64_t>(), merged)) return;
  if (!only_multiplied(node.outputs[0], checked.types)) return;
  for (const Reader& product : readers(node.outputs[0])) products_.insert(product.first->outputs[0]);
  node.op = "Identity";
  node.inputs.resize(1);
  node.attributes.clear();
}

// As the first factor of products by matrices, which are only reshaped.
bool MergedRows::only_multiplied(const std::string& name, const Types& types) {
  const auto& all = readers(name);
  return !all.empty() && std::ranges::all_of(all, [&](const Reader& reader) {
    const auto& [node, input] = reader;
    if (!is_main(*node, "MatMul") || input != 0 || node->inputs.size() != 2) return false;
    const auto matrix = types.find(node->inputs[1]);
    return matrix != types.end() && matrix->second.shape.size() == 2 && !is_batched(matrix->second.shape) &&
           node->outputs.size() == 1 && only_reshaped(node->outputs[0]);
  });
}

bool MergedRows::only_reshaped(const std::string& name) {
  const auto& all = readers(name);
  return !all.empty() && std::ranges::all_of(all, [](const Reader& reader) {
    return is_main(*reader.first, "Reshape") && reader.second == 0;
  });
}

void MergedRows::refuse_zero(const Node& node, const Checked& checked) const {
  const auto initializer = graph_.initializers.find(node.inputs[1]);
  const auto known = checked.known.find(node.inputs[1]);
  const Tensor* to = initializer != graph_.initializers.end() ? &initializer->second
                     : known != checked.known.end()           ? &known->second
                                                              : nullptr;
  if (to == nullptr || to->dtype() != DType::kInt64) return;  // the rule of Reshape says why
  if (std::ranges::find(to->values<int64_t>(), 0) == to->values<int64_t>().end()) return;
  throw Error(ErrorCode::kUnsupported, node_text(node),
              "expected no dimension of 0 after a product of rows merged with other dimensions");
}

const std::vector<MergedRows::Reader>& MergedRows::readers(const std::string& name) {
  static const Node output;  // stands for who reads what the graph gives
  if (readers_.empty()) {
    for (const Node& node : graph_.nodes) {
      for (size_t i = 0; i < node.inputs.size(); ++i) readers_[node.inputs[i]].emplace_back(&node, i);
    }
    for (const Value& value : graph_.outputs) readers_[value.name].emplace_back(&output, 0);
  }
  return readers_[name];
}

}  // namespace maas
