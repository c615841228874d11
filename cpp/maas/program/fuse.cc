#include <algorithm>
#include <numeric>

#include "maas/program/draft.h"
#include "maas/program/steps/activation.h"
#include "maas/program/steps/private_ops.h"
#include "maas/program/steps/product.h"

namespace maas {

namespace {

bool is_main(const Node& node, std::string_view op) { return node.domain.empty() && node.op == op; }

// Dense layers: a product with constant weights takes in what prepares its rows and what follows it, as long
// as nobody else reads the values in between.
class Fuser {
 public:
  explicit Fuser(Draft& draft) : draft_(draft), uses_(count_uses(draft)), gone_(draft.nodes.size()) {
    for (size_t i = 0; i < draft.nodes.size(); ++i) {
      for (const std::string& name : draft.nodes[i].outputs) makers_.emplace(name, i);
      for (const std::string& name : draft.nodes[i].inputs) readers_.emplace(name, i);
    }
  }

  void run() {
    for (size_t i = 0; i < draft_.nodes.size(); ++i) {
      const Node& node = draft_.nodes[i];
      if (!gone_[i] && (is_main(node, "MatMul") || is_main(node, "Gemm")) &&
          is_dense(view_node(draft_, node))) {
        fuse_layer(i);
      }
    }
    size_t kept = 0;
    for (size_t i = 0; i < draft_.nodes.size(); ++i) {
      if (gone_[i]) continue;
      if (kept != i) draft_.nodes[kept] = std::move(draft_.nodes[i]);
      ++kept;
    }
    draft_.nodes.resize(kept);
  }

 private:
  // A layer in the making. It stands where its last part stood, so all that it reads comes before.
  struct Layer {
    Node node;
    size_t last = 0;  // of the nodes
    int64_t columns = 0;
    std::string before, after;  // names of operators
  };

  void fuse_layer(size_t product) {
    const Node& node = draft_.nodes[product];
    Layer layer;
    layer.node = {kDenseOp, kPrivateDomain, node.name, node.inputs, node.outputs, {}};
    layer.node.inputs.resize(dense_input::kCount);
    layer.last = product;
    layer.after = node.op;
    const Tensor& weights = *draft_.constant(node.inputs[dense_input::kWeights]);
    const bool transposed = view_node(draft_, node).get_int(dense_attribute::kTransposed, 0) != 0;
    layer.columns = weights.shape().size() < 2 ? 1 : weights.shape()[transposed ? 0 : 1];
    layer.node.attributes[dense_attribute::kTransposed] = int64_t{transposed};
    if (node.op == "Gemm" && !layer.node.inputs[dense_input::kBias].empty()) layer.after += " + bias";
    take_scaling(layer, weights.shape()[transposed ? 1 : 0]);
    if (layer.node.inputs[dense_input::kBias].empty()) take_bias(layer);
    take_norm(layer);
    take_activation(layer);
    if (layer.last == product && layer.before.empty()) return;
    layer.node.attributes[dense_attribute::kOperators] = layer.before + layer.after;
    gone_[product] = true;
    gone_[layer.last] = false;
    draft_.nodes[layer.last] = std::move(layer.node);
  }

  // The node that alone reads the layer's result, if any; `operand`: as which input.
  const Node* next(const Layer& layer, size_t& operand) const {
    const std::string& result = layer.node.outputs[0];
    const auto reader = readers_.find(result);
    if (uses_.at(result) != 1 || reader == readers_.end()) return nullptr;
    const Node& node = draft_.nodes[reader->second];
    operand =
        static_cast<size_t>(std::find(node.inputs.begin(), node.inputs.end(), result) - node.inputs.begin());
    // Only where the result is no wider than what came in is it the same rows.
    const Shape& shape = draft_.types.at(node.outputs[0]).shape;
    return shape == draft_.types.at(result).shape ? &node : nullptr;
  }

  void append(Layer& layer, const Node& node, const std::string& as) {
    gone_[layer.last] = true;
    layer.last = readers_.at(layer.node.outputs[0]);
    layer.node.outputs[0] = node.outputs[0];
    layer.after += ", " + as;
    gone_[layer.last] = true;
  }

  void take_bias(Layer& layer) {
    size_t operand = 0;
    const Node* node = next(layer, operand);
    if (node == nullptr || !is_main(*node, "Add")) return;
    const std::string& other = node->inputs[1 - operand];
    if (!is_per_column(draft_.constant(other), layer.columns)) return;
    layer.node.inputs[dense_input::kBias] = other;
    append(layer, *node, "Add");
  }

  void take_norm(Layer& layer) {
    size_t operand = 0;
    const Node* node = next(layer, operand);
    if (node == nullptr || !is_main(*node, "BatchNormalization") || operand != 0) return;
    if (draft_.types.at(node->inputs[0]).shape.size() != 2) return;
    for (size_t i = 1; i < 5; ++i) {
      if (!is_per_column(draft_.constant(node->inputs[i]), layer.columns)) return;
    }
    std::copy_n(node->inputs.begin() + 1, 4,
                layer.node.inputs.begin() + static_cast<ptrdiff_t>(dense_input::kNormScale));
    layer.node.attributes[dense_attribute::kEpsilon] = view_node(draft_, *node).get_float("epsilon", 1e-5F);
    append(layer, *node, node->op);
  }

  bool is_activation(const Node& node) const {
    const NodeView view = view_node(draft_, node);
    if (is_main(node, "Softmax") || is_main(node, "LogSoftmax")) {
      const size_t rank = view.input(0).shape.size();
      return rank > 1 && view.get_axis("axis", -1, rank) == rank - 1;
    }
    return view.input(0).dtype == DType::kFloat32 ? find_value_map<float>(view).has_value()
                                                  : find_value_map<double>(view).has_value();
  }

  void take_activation(Layer& layer) {
    size_t operand = 0;
    const Node* node = next(layer, operand);
    if (node == nullptr || operand != 0 || !is_activation(*node)) return;
    layer.node.attributes[dense_attribute::kActivation] = node->op;
    for (const auto& [name, value] : node->attributes) {
      layer.node.attributes[dense_attribute::kPrefix + name] = value;
    }
    std::copy(node->inputs.begin() + 1, node->inputs.end(),
              layer.node.inputs.begin() + static_cast<ptrdiff_t>(dense_input::kActivation));
    append(layer, *node, node->op);
  }

  // The node whose only reader is the layer, and that makes its rows from rows of the same shape and type.
  const Node* previous(const Layer& layer, size_t& index) const {
    const std::string& x = layer.node.inputs[dense_input::kX];
    const auto maker = makers_.find(x);
    if (maker == makers_.end() || uses_.at(x) != 1 || gone_[maker->second]) return nullptr;
    index = maker->second;
    const Node& node = draft_.nodes[index];
    const ValueType &from = draft_.types.at(node.inputs[0]), &to = draft_.types.at(x);
    return from.dtype == to.dtype && from.shape == to.shape ? &node : nullptr;
  }

  void prepend(Layer& layer, size_t index, const std::string& as) {
    layer.node.inputs[dense_input::kX] = draft_.nodes[index].inputs[0];
    layer.before = as + ", " + layer.before;
    gone_[index] = true;
  }

  // Sub, then Mul or Div; either alone; or Scaler.
  void take_scaling(Layer& layer, int64_t depth) {
    size_t index = 0;
    const Node* node = previous(layer, index);
    if (node == nullptr) return;
    if (node->domain == kMlDomain && node->op == "Scaler") return take_scaler(layer, *node, index, depth);
    std::string scale, offset;
    if ((is_main(*node, "Mul") || is_main(*node, "Div")) && is_per_feature(node->inputs[1], depth)) {
      layer.node.attributes[dense_attribute::kDivide] = int64_t{node->op == "Div"};
      scale = per_feature(node->inputs[1], depth);
      prepend(layer, index, node->op);
      node = previous(layer, index);
    }
    if (node != nullptr && is_main(*node, "Sub") && is_per_feature(node->inputs[1], depth)) {
      offset = per_feature(node->inputs[1], depth);
      prepend(layer, index, "Sub");
    }
    if (scale.empty() && offset.empty()) return;
    layer.node.inputs[dense_input::kOffset] = offset.empty() ? filled_like(layer, depth, 0) : offset;
    layer.node.inputs[dense_input::kScale] = scale.empty() ? filled_like(layer, depth, 1) : scale;
  }

  void take_scaler(Layer& layer, const Node& node, size_t index, int64_t depth) {
    const NodeView view = view_node(draft_, node);
    std::vector<float> offset = view.get_floats("offset"), scale = view.get_floats("scale");
    const auto size = static_cast<size_t>(depth);
    if (offset.size() == 1) offset.resize(size, offset[0]);
    if (scale.size() == 1) scale.resize(size, scale[0]);
    if (offset.size() != size || scale.size() != size) return;
    layer.node.inputs[dense_input::kOffset] = add(Tensor::of({depth}, offset.data()));
    layer.node.inputs[dense_input::kScale] = add(Tensor::of({depth}, scale.data()));
    prepend(layer, index, node.op);
  }

  // A constant of one value, or of one a feature.
  bool is_per_feature(const std::string& name, int64_t depth) const {
    const Tensor* constant = draft_.constant(name);
    return is_per_column(constant, depth) || (constant != nullptr && constant->size() == 1);
  }
  // The same with one value a feature.
  std::string per_feature(const std::string& name, int64_t depth) {
    const Tensor& constant = *draft_.constant(name);
    return constant.size() == static_cast<size_t>(depth) ? name
           : constant.dtype() == DType::kFloat32         ? filled(depth, constant.values<float>()[0])
                                                         : filled(depth, constant.values<double>()[0]);
  }

  // A new constant under a name of its own.
  std::string add(Tensor tensor) {
    std::string name;
    do {
      name = "/constant" + std::to_string(next_name_++);
    } while (draft_.types.count(name) > 0);
    draft_.types.emplace(name, ValueType{tensor.dtype(), tensor.shape()});
    draft_.constants.emplace(name, std::move(tensor));
    return name;
  }
  template <class T>
  std::string filled(int64_t size, T value) {
    return add(Tensor::of({size}, std::vector<T>(static_cast<size_t>(size), value).data()));
  }
  // Of the type of the layer's values.
  std::string filled_like(const Layer& layer, int64_t size, float value) {
    const bool single = draft_.types.at(layer.node.inputs[dense_input::kX]).dtype == DType::kFloat32;
    return single ? filled(size, value) : filled(size, static_cast<double>(value));
  }

  Draft& draft_;
  std::unordered_map<std::string, size_t> uses_;              // by root
  std::vector<bool> gone_;                                    // by node: part of a layer
  std::unordered_map<std::string, size_t> makers_, readers_;  // by value: nodes
  size_t next_name_ = 0;
};

}  // namespace

void fuse(Draft& draft) { Fuser(draft).run(); }

}  // namespace maas
