#include "maas/onnx/upgrade.h"

#include <algorithm>

#include "maas/onnx/op_versions.h"
#include "maas/onnx/read_context.h"
#include "maas/onnx/upgrade_rules.h"

namespace maas {

namespace {

constexpr int64_t kEvery = 127;

struct Entry {
  std::string_view domain, op;
  int64_t before;  // for the versions below
  UpgradeRule rule;
};

// All that changed in meaning or form from the oldest versions to the newest; every other version of an
// operator added types, or words. The first entry that fits is taken.
constexpr Entry kRules[] = {
    {"", "Add", 7, line_up_operands},  // 7: broadcasting as numpy's
    {"", "And", 7, line_up_operands},
    {"", "BatchNormalization", kEvery, keep_inference},  // 14: training_mode; other outputs
    {"", "Cast", kEvery, drop_float8_attributes},        // 19: saturate, 24: round_mode
    {"", "Clip", 11, move_clip_bounds},                  // 11: min and max are inputs
    {"", "Constant", kEvery, constant_to_initializer},   // 11: sparse_value, 12: value_int and the like
    {"", "Div", 7, line_up_operands},
    {"", "Dropout", kEvery, dropout_to_identity},  // 7: no is_test, 12: ratio and training_mode are inputs
    {"", "Equal", 7, line_up_operands},
    {"", "Gemm", 7, drop_broadcast},  // it allowed what is always allowed now
    {"", "Greater", 7, line_up_operands},
    {"", "Less", 7, line_up_operands},
    {"", "LogSoftmax", 13, flat_softmax},  // 13: one axis; before, all from `axis` on
    {"", "Mod", kEvery, float_remainder},  // 28: fmod may be 0 for floats
    {"", "Mul", 7, line_up_operands},
    {"", "Or", 7, line_up_operands},
    {"", "PRelu", 7, line_up_slope},
    {"", "Pow", 7, line_up_operands},
    {"", "ReduceL1", 18, move_axes},  // 18, or 13: axes is an input
    {"", "ReduceL2", 18, move_axes},
    {"", "ReduceLogSumExp", 18, move_axes},
    {"", "ReduceMax", 18, move_axes},
    {"", "ReduceMean", 18, move_axes},
    {"", "ReduceMin", 18, move_axes},
    {"", "ReduceProd", 18, move_axes},
    {"", "ReduceSum", 13, move_axes},
    {"", "ReduceSumSquare", 18, move_axes},
    {"", "Slice", 10, move_slice},      // 10: starts, ends, axes are inputs
    {"", "Softmax", 13, flat_softmax},  // as LogSoftmax
    {"", "Split", 18, move_split},      // 13: split is an input, 18: num_outputs
    {"", "Squeeze", 13, move_axes},     // 13: axes is an input
    {"", "Sub", 7, line_up_operands},
    {"", "Swish", kEvery, expand_swish},  // came with 24
    {"", "Unsqueeze", 13, move_axes},     // 13: axes is an input
    {"", "Xor", 7, line_up_operands},
    {kMlDomain, "LabelEncoder", 2, index_to_label_encoder},  // 2: keys and values, 4: tensors
    {kMlDomain, "ZipMap", kEvery, drop_zip_map},
};

UpgradeRule find_rule(const Node& node, int64_t since) {
  for (const Entry& entry : kRules) {
    if (entry.op == node.op && entry.domain == node.domain && since < entry.before) return entry.rule;
  }
  return nullptr;
}

std::string domain_text(const std::string& domain) { return domain.empty() ? "ai.onnx" : domain; }

}  // namespace

int64_t operator_version(const Node& node, const FileOperators& operators) {
  const std::string domain = domain_text(node.domain);
  if (operators.functions.contains({node.domain, node.op})) {
    throw_unsupported(node_text(node),
                      "is a function that the model itself defines; expected operators of "
                      "ai.onnx and ai.onnx.ml");
  }
  const bool ml = node.domain == kMlDomain;
  if (!ml && !node.domain.empty()) {
    throw_unsupported(node_text(node), "is of domain '" + domain + "'; expected ai.onnx or ai.onnx.ml");
  }
  const auto import = operators.opsets.find(node.domain);
  if (import == operators.opsets.end()) {
    throw_format(node_text(node), "is of domain " + domain + ", whose opset the model does not import");
  }
  const int64_t opset = import->second;
  const int64_t oldest = ml ? kOldestMlOpset : kOldestOpset;
  const int64_t newest = ml ? kNewestMlOpset : kNewestOpset;
  const OpVersion version = find_version(node.domain, node.op, opset);
  if (opset < 1 || opset > newest || (opset < oldest && version.kind == OpVersion::kLater)) {
    throw_unsupported(node_text(node), "is of opset " + std::to_string(opset) + " of domain " + domain +
                                           "; expected " + std::to_string(oldest) + " to " +
                                           std::to_string(newest));
  }
  if (version.kind == OpVersion::kUnknown) {
    throw_unsupported(node_text(node), "operator " + node.op + " of domain " + domain + ", opset " +
                                           std::to_string(opset) + ", is not one that the engine runs");
  }
  if (version.kind == OpVersion::kLater) {
    throw_format(node_text(node), "opset " + std::to_string(opset) + " of domain " + domain + " has no " +
                                      node.op + ", which came with " + std::to_string(version.since));
  }
  return version.since;
}

Upgrade::Upgrade(Graph& graph, const FileOperators& operators)
    : graph_(graph), operators_(operators), old_(std::move(graph.nodes)) {
  graph_.nodes.clear();
  graph_.nodes.reserve(old_.size());
  choose_prefix();
}

// "upgraded_", with more underscores than any name of the graph that begins so.
void Upgrade::choose_prefix() {
  constexpr std::string_view kStem = "upgraded";
  size_t underscores = 0;
  const auto look = [&](const std::string& name) {
    if (!name.starts_with(kStem)) return;
    underscores = std::max(underscores,
                           std::min(name.find_first_not_of('_', kStem.size()), name.size()) - kStem.size());
  };
  for (const Value& value : graph_.inputs) look(value.name);
  for (const Value& value : graph_.outputs) look(value.name);
  for (const auto& [name, tensor] : graph_.initializers) look(name);
  for (const Node& node : old_) {
    for (const std::string& name : node.inputs) look(name);
    for (const std::string& name : node.outputs) look(name);
  }
  prefix_ = std::string(kStem) + std::string(underscores + 1, '_');
}

void Upgrade::first_step() {
  for (const Value& value : graph_.inputs) input_types_.emplace(value.name, value.type);
  for (; at_ < old_.size(); ++at_) upgrade(std::move(old_[at_]));
  if (!zip_maps_.empty()) rename_zipped();
}

void Upgrade::upgrade(Node node) {
  const int64_t since = operator_version(node, operators_);
  const UpgradeRule rule = find_rule(node, since);
  if (rule == nullptr || rule(node, since, *this)) graph_.nodes.push_back(std::move(node));
}

void Upgrade::second_step(const std::unordered_map<std::string, ValueType>& types) {
  for (const ZipMap& zip : zip_maps_) {
    const Shape& shape = types.at(zip.to).shape;
    if (shape.empty() || shape.back() != static_cast<int64_t>(zip.labels)) {
      throw_format(zip.node,
                   "has " + std::to_string(zip.labels) + " labels for values of shape " + shape_text(shape));
    }
  }
  if (later_.empty()) return;
  std::vector<Node> nodes = std::move(graph_.nodes);
  graph_.nodes.clear();
  for (Node& node : nodes) {
    const auto step = node.outputs.empty() ? later_.end() : later_.find(node.outputs[0]);
    if (step == later_.end()) {
      graph_.nodes.push_back(std::move(node));
      continue;
    }
    const ValueType type = types.at(node.inputs.at(0));
    for (Node& made : step->second(std::move(node), type)) graph_.nodes.push_back(std::move(made));
  }
}

std::string Upgrade::add_constant(Tensor tensor) {
  std::string name = new_name();
  graph_.initializers.emplace(name, std::move(tensor));
  return name;
}

void Upgrade::define(const Node& node, Tensor constant) {
  if (node.outputs.size() != 1 || node.outputs[0].empty() || !node.inputs.empty()) {
    throw_format(node_text(node), "expected no inputs and one output");
  }
  if (!graph_.initializers.emplace(node.outputs[0], std::move(constant)).second) {
    throw_format(node_text(node), "defines '" + node.outputs[0] + "' a second time");
  }
}

const Tensor* Upgrade::constant(const std::string& name) const {
  const auto found = graph_.initializers.find(name);
  return found == graph_.initializers.end() ? nullptr : &found->second;
}

const ValueType* Upgrade::input_type(const std::string& name) const {
  const auto found = input_types_.find(name);
  return found == input_types_.end() ? nullptr : &found->second;
}

bool Upgrade::is_read(const std::string& name) {
  if (read_.empty()) {  // nodes already upgraded come before, so what is asked about is not theirs
    for (const Value& value : graph_.outputs) read_.insert(value.name);
    for (size_t i = at_; i < old_.size(); ++i) read_.insert(old_[i].inputs.begin(), old_[i].inputs.end());
  }
  return read_.contains(name);
}

void Upgrade::later(const Node& node, Later second_step) {
  if (node.inputs.empty() || node.inputs[0].empty() || node.outputs.empty() || node.outputs[0].empty()) {
    throw_format(node_text(node), "expected an input and an output");
  }
  if (!later_.emplace(node.outputs[0], std::move(second_step)).second) {
    throw_format(node_text(node), "defines '" + node.outputs[0] + "' a second time");
  }
}

// The values keep the name of the output. Where a node makes them, it makes them under that name; else the
// Identity that stands in for the ZipMap stays.
void Upgrade::drop_zip_map(Node& node, size_t labels) {
  if (node.inputs.size() != 1 || node.outputs.size() != 1 || node.inputs[0].empty() ||
      node.outputs[0].empty()) {
    throw_format(node_text(node), "expected one input and one output");
  }
  zip_maps_.push_back({node_text(node), node.inputs[0], node.outputs[0], labels});
  node.op = "Identity";
  node.domain.clear();
  node.attributes.clear();
}

void Upgrade::rename_zipped() {
  std::unordered_set<std::string> zipped, produced, outputs;
  for (const ZipMap& zip : zip_maps_) zipped.insert(zip.to);
  for (const Node& node : graph_.nodes) {
    for (const std::string& name : node.outputs) {
      if (!zipped.contains(name)) produced.insert(name);
    }
  }
  for (const Value& value : graph_.outputs) outputs.insert(value.name);
  std::unordered_map<std::string, std::string> renamed;
  std::unordered_set<std::string> gone;
  for (const ZipMap& zip : zip_maps_) {
    if (!produced.contains(zip.from) || outputs.contains(zip.from)) continue;
    if (renamed.emplace(zip.from, zip.to).second) gone.insert(zip.to);
  }
  std::erase_if(graph_.nodes, [&](const Node& node) {
    return node.op == "Identity" && node.outputs.size() == 1 && gone.contains(node.outputs[0]) &&
           renamed.contains(node.inputs.at(0));
  });
  const auto rename = [&](std::vector<std::string>& names) {
    for (std::string& name : names) {
      const auto found = renamed.find(name);
      if (found != renamed.end()) name = found->second;
    }
  };
  for (Node& node : graph_.nodes) {
    rename(node.inputs);
    rename(node.outputs);
  }
}

}  // namespace maas
