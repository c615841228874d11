#include "maas/onnx/read_context.h"
#include "maas/onnx/upgrade_rules.h"

namespace maas {

namespace {

using Ints = std::vector<int64_t>;

Tensor ints_tensor(const Ints& values) {
  return Tensor::of<int64_t>({static_cast<int64_t>(values.size())}, values.data());
}

// `count` inputs, all present: what a node of a version with attributes has.
void expect_inputs(const Node& node, size_t count) {
  if (node.inputs.size() != count) {
    throw_format(node_text(node), "expected " + std::to_string(count) + " inputs in this opset, got " +
                                      std::to_string(node.inputs.size()));
  }
}

Tensor float_scalar(const Node& node, const ValueType& type, float value) {
  if (type.dtype == DType::kFloat32) return Tensor::of<float>({}, &value);
  if (type.dtype == DType::kFloat64) {
    const double wide = value;
    return Tensor::of<double>({}, &wide);
  }
  throw_format(node_text(node), std::string("expected float32 or float64, got ") + dtype_name(type.dtype));
}

}  // namespace

template <class T>
T take_attribute(Node& node, const char* name, T otherwise) {
  const auto found = node.attributes.find(name);
  if (found == node.attributes.end()) return otherwise;
  T* value = std::get_if<T>(&found->second);
  if (value == nullptr)
    throw_format(node_text(node), std::string("attribute '") + name + "' has another type");
  T taken = std::move(*value);
  node.attributes.erase(found);
  return taken;
}

template int64_t take_attribute(Node&, const char*, int64_t);
template float take_attribute(Node&, const char*, float);
template std::string take_attribute(Node&, const char*, std::string);
template Ints take_attribute(Node&, const char*, Ints);
template std::vector<float> take_attribute(Node&, const char*, std::vector<float>);
template std::vector<std::string> take_attribute(Node&, const char*, std::vector<std::string>);
template Tensor take_attribute(Node&, const char*, Tensor);

bool move_axes(Node& node, int64_t, Upgrade& graph) {
  expect_inputs(node, 1);
  const Ints axes = take_attribute<Ints>(node, "axes", {});
  if (node.attributes.contains("noop_with_empty_axes")) {
    throw_format(node_text(node), "has no attribute 'noop_with_empty_axes' in this opset");
  }
  if (!axes.empty() || node.op == "Unsqueeze") node.inputs.push_back(graph.add_constant(ints_tensor(axes)));
  return true;
}

bool move_slice(Node& node, int64_t, Upgrade& graph) {
  expect_inputs(node, 1);
  const Ints starts = take_attribute<Ints>(node, "starts", {});
  const Ints ends = take_attribute<Ints>(node, "ends", {});
  const Ints axes = take_attribute<Ints>(node, "axes", {});
  node.inputs.push_back(graph.add_constant(ints_tensor(starts)));
  node.inputs.push_back(graph.add_constant(ints_tensor(ends)));
  if (!axes.empty()) node.inputs.push_back(graph.add_constant(ints_tensor(axes)));
  return true;
}

// Without sizes, the parts were equal; num_outputs alone would let the last be smaller.
bool move_split(Node& node, int64_t since, Upgrade& graph) {
  if (since < 13) {
    expect_inputs(node, 1);
    const Ints sizes = take_attribute<Ints>(node, "split", {});
    if (!sizes.empty()) node.inputs.push_back(graph.add_constant(ints_tensor(sizes)));
  }
  if (node.attributes.contains("num_outputs")) {
    throw_format(node_text(node), "has no attribute 'num_outputs' in this opset");
  }
  if (node.inputs.size() > 1 && !node.inputs[1].empty()) return true;
  const auto parts = static_cast<int64_t>(node.outputs.size());
  node.attributes["num_outputs"] = parts;
  graph.later(node, [parts](Node split, const ValueType& type) {
    const auto found = split.attributes.find("axis");
    const auto rank = static_cast<int64_t>(type.shape.size());
    int64_t axis = found == split.attributes.end() ? 0 : std::get<int64_t>(found->second);
    if (axis < 0) axis += rank;
    if (axis >= 0 && axis < rank && type.shape[axis] % parts != 0) {
      throw_format(node_text(split), "cannot split dimension " + std::to_string(axis) + " of " +
                                         shape_text(type.shape) + " into " + std::to_string(parts) +
                                         " equal parts");
    }
    return std::vector<Node>{std::move(split)};
  });
  return true;
}

bool move_clip_bounds(Node& node, int64_t, Upgrade& graph) {
  expect_inputs(node, 1);
  const bool has_min = node.attributes.contains("min"), has_max = node.attributes.contains("max");
  const float min = take_attribute<float>(node, "min", 0), max = take_attribute<float>(node, "max", 0);
  graph.later(node, [=, &graph](Node clip, const ValueType& type) {
    if (has_min || has_max) {
      clip.inputs.push_back(has_min ? graph.add_constant(float_scalar(clip, type, min)) : "");
    }
    if (has_max) clip.inputs.push_back(graph.add_constant(float_scalar(clip, type, max)));
    return std::vector<Node>{std::move(clip)};
  });
  return true;
}

// They say how numbers become 8-bit ones.
bool drop_float8_attributes(Node& node, int64_t, Upgrade&) {
  node.attributes.erase("saturate");
  node.attributes.erase("round_mode");
  return true;
}

bool expand_swish(Node& node, int64_t, Upgrade& graph) {
  expect_inputs(node, 1);
  const float alpha = take_attribute<float>(node, "alpha", 1);
  node.op = "Sigmoid";  // of the same type as x · sigmoid(alpha · x)
  graph.later(node, [=, &graph](Node sigmoid, const ValueType& type) {
    std::vector<Node> nodes;
    Node product = sigmoid;
    product.op = "Mul";
    if (alpha != 1) {
      Node scaled = product;
      scaled.name = part_name(product, "scale");
      scaled.inputs.push_back(graph.add_constant(float_scalar(scaled, type, alpha)));
      scaled.outputs = {graph.new_name()};
      sigmoid.inputs = scaled.outputs;
      nodes.push_back(std::move(scaled));
    }
    sigmoid.name = part_name(product, "sigmoid");
    sigmoid.outputs = {graph.new_name()};
    product.inputs.push_back(sigmoid.outputs[0]);
    nodes.push_back(std::move(sigmoid));
    nodes.push_back(std::move(product));
    return nodes;
  });
  return true;
}

}  // namespace maas
