#include <algorithm>

#include "maas/onnx/read_context.h"
#include "maas/onnx/upgrade_rules.h"

namespace maas {

namespace {

Tensor constant_value(const Node& node, const std::string& form, const Attribute& value) {
  if (form == "value") {
    if (const auto* tensor = std::get_if<Tensor>(&value)) return *tensor;
  } else if (form == "value_int") {
    if (const auto* number = std::get_if<int64_t>(&value)) return Tensor::of<int64_t>({}, number);
  } else if (form == "value_float") {
    if (const auto* number = std::get_if<float>(&value)) return Tensor::of<float>({}, number);
  } else if (form == "value_string") {
    if (const auto* text = std::get_if<std::string>(&value)) return Tensor::of_strings({}, {*text});
  } else if (form == "value_ints") {
    if (const auto* list = std::get_if<std::vector<int64_t>>(&value)) {
      return Tensor::of<int64_t>({static_cast<int64_t>(list->size())}, list->data());
    }
  } else if (form == "value_floats") {
    if (const auto* list = std::get_if<std::vector<float>>(&value)) {
      return Tensor::of<float>({static_cast<int64_t>(list->size())}, list->data());
    }
  } else if (form == "value_strings") {
    if (const auto* list = std::get_if<std::vector<std::string>>(&value)) {
      return Tensor::of_strings({static_cast<int64_t>(list->size())}, *list);
    }
  } else {
    throw_format(node_text(node), "attribute '" + form + "' is not one of a Constant");
  }
  throw_format(node_text(node), "attribute '" + form + "' has another type");
}

Node reshape(std::string name, Upgrade& graph, const Shape& shape, std::string from, std::string to) {
  const auto sizes =
      graph.add_constant(Tensor::of<int64_t>({static_cast<int64_t>(shape.size())}, shape.data()));
  return {"Reshape", "", std::move(name), {std::move(from), sizes}, {std::move(to)}, {}};
}

}  // namespace

bool constant_to_initializer(Node& node, int64_t, Upgrade& graph) {
  if (node.attributes.size() != 1) {
    throw_format(node_text(node), "expected one attribute, got " + std::to_string(node.attributes.size()));
  }
  const auto& [form, value] = *node.attributes.begin();
  graph.define(node, constant_value(node, form, value));
  return false;
}

bool dropout_to_identity(Node& node, int64_t since, Upgrade& graph) {
  if (node.inputs.empty() || node.inputs.size() > (since < 12 ? 1 : 3) || node.outputs.empty()) {
    throw_format(node_text(node), "has too many inputs, or too few, or no output");
  }
  if (since < 7 && take_attribute<int64_t>(node, "is_test", 0) == 0) {
    throw_unsupported(node_text(node), "is in training mode; expected is_test 1");
  }
  if (node.inputs.size() == 3 && !node.inputs[2].empty()) {
    const Tensor* training = graph.constant(node.inputs[2]);
    if (training == nullptr || training->dtype() != DType::kBool || training->size() != 1 ||
        training->values<bool>()[0]) {
      throw_unsupported(node_text(node),
                        "may be in training mode; expected a constant training_mode of false");
    }
  }
  if (node.outputs.size() > 1 && !node.outputs[1].empty() && graph.is_read(node.outputs[1])) {
    throw_unsupported(node_text(node),
                      "its mask '" + node.outputs[1] + "' is used; expected the values alone");
  }
  node = {"Identity", "", std::move(node.name), {std::move(node.inputs[0])}, {std::move(node.outputs[0])},
          {}};
  return true;
}

bool keep_inference(Node& node, int64_t since, Upgrade& graph) {
  if (since < 7 && take_attribute<int64_t>(node, "is_test", 0) == 0) {
    throw_unsupported(node_text(node), "is in training mode; expected is_test 1");
  }
  if (since < 9 && take_attribute<int64_t>(node, "spatial", 1) == 0) {
    throw_unsupported(node_text(node), "expected spatial 1: one mean a channel");
  }
  if (take_attribute<int64_t>(node, "training_mode", 0) != 0) {
    throw_unsupported(node_text(node), "is in training mode; expected training_mode 0");
  }
  for (size_t i = 1; i < node.outputs.size(); ++i) {
    if (!node.outputs[i].empty() && graph.is_read(node.outputs[i])) {
      throw_unsupported(node_text(node), "its output '" + node.outputs[i] + "', of training, is used");
    }
  }
  if (node.outputs.size() > 1) node.outputs.resize(1);
  node.attributes.erase("momentum");
  return true;
}

// Softmax over all dimensions from `axis` on, as if they were one.
bool flat_softmax(Node& node, int64_t, Upgrade& graph) {
  const int64_t given = take_attribute<int64_t>(node, "axis", 1);
  node.attributes["axis"] = int64_t{-1};
  graph.later(node, [=, &graph](Node softmax, const ValueType& type) {
    const auto rank = static_cast<int64_t>(type.shape.size());
    const int64_t axis = given < 0 ? given + rank : given;
    if (axis < 0 || axis >= rank) {
      throw_format(node_text(softmax),
                   "has axis " + std::to_string(given) + " for values of shape " + shape_text(type.shape));
    }
    if (axis == rank - 1) return std::vector<Node>{std::move(softmax)};
    const auto first = type.shape.begin() + axis;
    if ((axis == 0 && is_batched(type.shape)) || std::ranges::count(type.shape, 0) > 0) {
      throw_unsupported(node_text(softmax), "takes all of " + shape_text(type.shape) + " from axis " +
                                                std::to_string(axis) +
                                                " on as one in this opset; expected the values of one row");
    }
    Shape back = type.shape;
    if (is_batched(back)) back[0] = 0;  // as it is
    Shape flat(back.begin(), back.begin() + axis);
    flat.push_back(checked_elements(Shape(first, type.shape.end())).value_or(0));
    Node before = reshape(part_name(softmax, "flat"), graph, flat, softmax.inputs[0], graph.new_name());
    Node after = reshape(part_name(softmax, "back"), graph, back, graph.new_name(), softmax.outputs[0]);
    softmax.inputs = before.outputs;
    softmax.outputs = {after.inputs[0]};
    return std::vector<Node>{std::move(before), std::move(softmax), std::move(after)};
  });
  return true;
}

}  // namespace maas
