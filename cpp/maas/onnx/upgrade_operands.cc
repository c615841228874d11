// Operands that opsets before 7 lined up in their own way, and the remainder of floats.
#include <algorithm>
#include <string_view>

#include "maas/onnx/read_context.h"
#include "maas/onnx/upgrade_rules.h"

namespace maas {

namespace {

// Null where it is known only after the first step.
const Shape* known_shape(const Upgrade& graph, const std::string& name) {
  if (const Tensor* constant = graph.constant(name)) return &constant->shape();
  const ValueType* type = graph.input_type(name);
  return type == nullptr ? nullptr : &type->shape;
}

// How many dimensions of the first operand come behind those of the second, which stand from `axis` on.
int64_t dimensions_behind(const Node& node, size_t first, size_t second, int64_t axis) {
  if (axis < 0) axis += static_cast<int64_t>(first);
  const int64_t behind = static_cast<int64_t>(first) - axis - static_cast<int64_t>(second);
  if (axis < 0 || behind < 0) {
    throw_format(node_text(node), "cannot line up " + std::to_string(second) + " dimensions with " +
                                      std::to_string(first) + " from axis " + std::to_string(axis) + " on");
  }
  return behind;
}

Tensor with_dimensions_behind(const Tensor& tensor, int64_t count) {
  Shape shape = tensor.shape();
  shape.insert(shape.end(), static_cast<size_t>(count), 1);
  const std::string_view bytes(static_cast<const char*>(tensor.data()),
                               tensor.size() * item_size(tensor.dtype()));
  return Tensor::of_bytes(tensor.dtype(), std::move(shape), bytes);
}

// Gives the second operand the dimensions of one behind its own that make numpy's broadcasting do the same.
void line_up(Node& node, Upgrade& graph, int64_t axis) {
  const Shape *first = known_shape(graph, node.inputs[0]), *second = known_shape(graph, node.inputs[1]);
  if (second == nullptr) {
    throw_unsupported(node_text(node),
                      "lines its operands up from an axis on; expected a constant second one");
  }
  if (!is_batched(*second) && checked_elements(*second) == 1) return;
  const size_t rank = second->size();
  if (first == nullptr) {
    graph.later(node, [=](Node late, const ValueType& type) {
      if (dimensions_behind(late, type.shape.size(), rank, axis) != 0) {
        throw_unsupported(node_text(late), "expected operands that are lined up at their last dimensions");
      }
      return std::vector<Node>{std::move(late)};
    });
    return;
  }
  const int64_t behind = dimensions_behind(node, first->size(), rank, axis);
  if (behind == 0) return;
  const Tensor* constant = graph.constant(node.inputs[1]);
  if (constant == nullptr || constant->dtype() == DType::kString) {
    throw_unsupported(node_text(node),
                      "lines its operands up from an axis on; expected a constant second one");
  }
  node.inputs[1] = graph.add_constant(with_dimensions_behind(*constant, behind));
}

Tensor scalar(DType dtype, double value) {
  if (dtype == DType::kFloat64) return Tensor::of<double>({}, &value);
  const auto narrow = static_cast<float>(value);
  return Tensor::of<float>({}, &narrow);
}

void expect_two(const Node& node) {
  if (node.inputs.size() != 2 || node.inputs[0].empty() || node.inputs[1].empty() || node.outputs.empty()) {
    throw_format(node_text(node), "expected two inputs and an output");
  }
}

// With the sign of the divisor, from the remainder with the sign of the dividend, which is exact.
std::vector<Node> floor_remainder(Node mod, DType dtype, Upgrade& graph) {
  const std::string dividend = mod.inputs[0], divisor = mod.inputs[1];
  const std::string zero = graph.add_constant(scalar(dtype, 0)),
                    minus_zero = graph.add_constant(scalar(dtype, -0.0));
  std::vector<Node> nodes;
  const auto add = [&](const char* op, const char* part, std::vector<std::string> inputs) {
    nodes.push_back({op, "", part_name(mod, part), std::move(inputs), {graph.new_name()}, {}});
    return nodes.back().outputs[0];
  };
  const std::string rest = add("Mod", "rest", {dividend, divisor});
  nodes.back().attributes["fmod"] = int64_t{1};
  const std::string below = add("Less", "below", {divisor, zero});
  const std::string signs = add("Xor", "signs", {add("Less", "negative", {rest, zero}), below});
  const std::string moved = add("Where", "moved", {signs, add("Add", "next", {rest, divisor}), rest});
  const std::string none = add("Where", "none", {below, minus_zero, zero});
  const std::string whole = add("Equal", "whole", {rest, zero});
  nodes.push_back({"Where", "", mod.name, {whole, none, moved}, mod.outputs, {}});
  return nodes;
}

}  // namespace

// Without `axis` the last dimensions are lined up, as numpy does.
bool line_up_operands(Node& node, int64_t, Upgrade& graph) {
  expect_two(node);
  const bool has_axis = node.attributes.contains("axis");
  const int64_t axis = take_attribute<int64_t>(node, "axis", 0);
  if (take_attribute<int64_t>(node, "broadcast", 0) != 0 && has_axis) line_up(node, graph, axis);
  return true;
}

// One slope a channel, which is dimension 1.
bool line_up_slope(Node& node, int64_t, Upgrade& graph) {
  expect_two(node);
  line_up(node, graph, 1);
  return true;
}

bool drop_broadcast(Node& node, int64_t, Upgrade&) {
  node.attributes.erase("broadcast");
  return true;
}

bool float_remainder(Node& node, int64_t since, Upgrade& graph) {
  const auto fmod = node.attributes.find("fmod");
  const bool truncates = fmod != node.attributes.end() && fmod->second != Attribute(int64_t{0});
  if (since < 28 || truncates) return true;
  expect_two(node);
  node.attributes["fmod"] = int64_t{1};
  graph.later(node, [&graph](Node mod, const ValueType& type) {
    if (is_float(type.dtype)) return floor_remainder(std::move(mod), type.dtype, graph);
    mod.attributes["fmod"] = int64_t{0};
    return std::vector<Node>{std::move(mod)};
  });
  return true;
}

}  // namespace maas
