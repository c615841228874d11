// What is done to nodes whose operator changed between versions. For upgrade.cc alone.
#pragma once

#include <cstdint>

#include "maas/onnx/upgrade.h"

namespace maas {

// Rewrites the node in place; false where nothing is left of it. since: the version of its operator.
using UpgradeRule = bool (*)(Node& node, int64_t since, Upgrade& graph);

// upgrade_attributes.cc: attributes that became inputs, or mean nothing for the types we have
bool move_axes(Node& node, int64_t since, Upgrade& graph);
bool move_slice(Node& node, int64_t since, Upgrade& graph);
bool move_split(Node& node, int64_t since, Upgrade& graph);
bool move_clip_bounds(Node& node, int64_t since, Upgrade& graph);
bool drop_float8_attributes(Node& node, int64_t since, Upgrade& graph);

// upgrade_meaning.cc: operators that became, or are, something else
bool constant_to_initializer(Node& node, int64_t since, Upgrade& graph);
bool dropout_to_identity(Node& node, int64_t since, Upgrade& graph);
bool keep_inference(Node& node, int64_t since, Upgrade& graph);
bool flat_softmax(Node& node, int64_t since, Upgrade& graph);
bool expand_swish(Node& node, int64_t since, Upgrade& graph);

// upgrade_operands.cc: how operands are lined up, and Mod of floats
bool line_up_operands(Node& node, int64_t since, Upgrade& graph);
bool line_up_slope(Node& node, int64_t since, Upgrade& graph);
bool drop_broadcast(Node& node, int64_t since, Upgrade& graph);
bool float_remainder(Node& node, int64_t since, Upgrade& graph);

// upgrade_ml.cc
bool index_to_label_encoder(Node& node, int64_t since, Upgrade& graph);
bool drop_zip_map(Node& node, int64_t since, Upgrade& graph);

// The attribute, taken from the node; `otherwise` where absent. Throws FormatError where it is another type.
template <class T>
T take_attribute(Node& node, const char* name, T otherwise);

// For a node made besides the one that keeps the name: empty where that has none.
inline std::string part_name(const Node& node, const char* part) {
  return node.name.empty() ? "" : node.name + "/" + part;
}

}  // namespace maas
