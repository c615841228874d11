#include "maas/nn/layer_chain.h"

#include <algorithm>
#include <functional>
#include <numeric>

#include "maas/kernels/activation_gradient.h"
#include "maas/nn/activation_layer.h"
#include "maas/nn/chain_walk.h"
#include "maas/nn/dense_layer.h"
#include "maas/nn/dropout_layer.h"
#include "maas/nn/embedding_layer.h"
#include "maas/nn/norm_layer.h"
#include "maas/nn/reshape_layer.h"
#include "maas/program/steps/activation.h"

namespace maas {

namespace {

SampleShape sample_shape(const Shape& shape) {
  if (shape.size() < 2) return {1, 1};
  const int64_t positions =
      std::accumulate(shape.begin() + 1, shape.end() - 1, int64_t{1}, std::multiplies<int64_t>());
  return {static_cast<size_t>(positions), static_cast<size_t>(shape.back())};
}

bool is_product(const Node& node) {
  return node.domain.empty() && (node.op == "Gemm" || node.op == "MatMul");
}

bool is_unit(const NodeView& view, const char* attribute) { return view.get_float(attribute, 1) == 1; }

template <class T>
class ChainBuilder : ChainWalk<T> {
 public:
  using ChainWalk<T>::ChainWalk;

  LayerChain<T> build() {
    start();
    for (next_ = 0; next_ < nodes_.size();) {
      const Node& node = *nodes_[next_++];
      const NodeView view = view_of(node);
      if (std::find(node.inputs.begin(), node.inputs.end(), value_) == node.inputs.end()) {
        view.unsupported("expected to read '" + value_ + "': only chains of layers can be trained");
      }
      take(view);
    }
    if (graph_.outputs[0].name != value_) fail("its last value '" + value_ + "' to be its output");
    finish();
    return std::move(chain_);
  }

 private:
  [[noreturn]] void fail(const std::string& what) const {
    throw Error(ErrorCode::kUnsupported, "graph '" + graph_.name + "'", "expected " + what);
  }

  void expect_values(SampleShape shape) const {
    if (shape.positions * shape.cols == 0) fail("one value a row at least, also between layers");
  }

  void start() {
    if (graph_.inputs.size() != 1 || graph_.outputs.size() != 1) fail("one input and one output to train");
    const Value& input = graph_.inputs[0];
    if (!is_batched(input.type.shape)) fail("an input with the batch in front");
    value_ = input.name;
    shape_ = sample_shape(input.type.shape);
    expect_values(shape_);
    if (input.type.dtype == dtype_of<T>) {
      chain_.input = shape_ = {1, shape_.positions * shape_.cols};
      reshape(input.type.shape);
    } else if (input.type.dtype == DType::kInt64) {
      chain_.input = {shape_.positions * shape_.cols, 1};
    } else {
      fail(std::string("an input of int64 or ") + dtype_name(dtype_of<T>) + ", got " +
           dtype_name(input.type.dtype));
    }
  }

  void finish() {
    if (graph_.inputs[0].type.dtype == DType::kInt64 && chain_.table_rows == 0) {
      fail("integers to be read by a Gather of one row at least");
    }
    if (shape_.positions != 1) {
      if (chain_.closing == Closing::kSoftmax) fail("one softmax a row");
      chain_.closing = Closing::kNone;
      reshape({kBatch, static_cast<int64_t>(shape_.positions * shape_.cols)});
    }
    if (chain_.layers.empty()) fail("at least one layer");
    chain_.output = shape_;
  }

  void take(const NodeView& view) {
    const Node& node = view.node();
    if (node.outputs.size() > 1 && std::any_of(node.outputs.begin() + 1, node.outputs.end(),
                                               [](const std::string& name) { return !name.empty(); })) {
      view.unsupported("expected one output to train");
    }
    if (!node.domain.empty()) return refuse(view);
    if (is_product(node)) return take_dense(view);
    if (node.op == "Reshape" || node.op == "Flatten" || node.op == "Identity") return take_reshape(view);
    if (node.op == "Sub" || node.op == "Add" || node.op == "Mul" || node.op == "Div") return take_scale(view);
    if (node.op == "Softmax") return take_softmax(view);
    if (node.op == "Dropout") return take_dropout(view);
    if (node.op == "BatchNormalization") return take_batch_norm(view);
    if (node.op == "LayerNormalization") return take_layer_norm(view);
    if (node.op == "Gather") return take_gather(view);
    if (const auto map = find_value_map<T>(view)) return take_map(view, *map);
    refuse(view);
  }

  [[noreturn]] void refuse(const NodeView& view) const {
    view.unsupported(
        "cannot be trained through; expected Gemm, MatMul, an activation, Softmax, Dropout, "
        "BatchNormalization, LayerNormalization, Gather, Reshape, Flatten, or arithmetic with constants");
  }

  void take_dense(const NodeView& view) {
    const Node& node = view.node();
    const bool gemm = node.op == "Gemm";
    if (node.inputs[0] != value_) view.unsupported("expected weights as the second operand");
    if (gemm && (!is_unit(view, "alpha") || !is_unit(view, "beta") || view.get_int("transA", 0) != 0)) {
      view.unsupported("expected alpha and beta of 1 and transA of 0 to train");
    }
    const PlacedParameter<T>& weights = parameter(view, 1);
    const Shape& shape = view.input(1).shape;
    if (shape.size() != 2) view.unsupported("expected weights of 2 dimensions to train");
    const auto units = static_cast<size_t>(shape[gemm && view.get_int("transB", 0) != 0 ? 0 : 1]);
    advance(node);
    Parameter<T> bias;
    if (gemm && view.has_input(2)) {
      bias = vector(view, 2, units);
    } else if (const Node* add = following("Add"); !gemm && add != nullptr) {
      const NodeView added = view_of(*add);
      const size_t operand = add->inputs[0] == value_ ? 1 : 0;
      if (is_parameter(added, operand)) {
        bias = vector(added, operand, units);
        advance(*add);
        ++next_;
      }
    }
    const Activation<T> activation = fused_activation();
    push(std::make_unique<DenseLayer<T>>(shape_.cols, units, weights.at, bias, activation),
         weights.at.gradient != nullptr || bias.gradient != nullptr);
  }

  // The activation right after a product, unless the loss may take it over or it is the start of a silu.
  Activation<T> fused_activation() {
    if (next_ == nodes_.size()) return {};
    const Node& node = *nodes_[next_];
    const auto map = find_value_map<T>(view_of(node));
    if (!map || node.inputs[0] != value_ || !gradient_from_output(map->op)) return {};
    if (node.op == "Sigmoid" && (next_ + 1 == nodes_.size() || is_silu(node))) return {};
    check_slope(view_of(node), *map);
    advance(node);
    ++next_;
    return {Activation<T>::kMap, map->op, map->p, map->q};
  }

  // Outputs of a falling branch would not tell which branch they are from.
  void check_slope(const NodeView& view, const ValueMap<T>& map) const {
    const bool has_slope = map.op == MapOp::kLeakyRelu || map.op == MapOp::kElu || map.op == MapOp::kSelu ||
                           map.op == MapOp::kCelu;
    if (has_slope && (map.p < 0 || map.q < 0)) view.unsupported("expected alpha and gamma of at least 0");
  }

  void take_map(const NodeView& view, const ValueMap<T>& map) {
    if (!gradient_from_output(map.op) && !has_gradient(map.op)) return refuse(view);
    check_slope(view, map);
    if (map.op == MapOp::kSigmoid && is_silu(view.node())) {
      advance(*nodes_[next_++]);
      return push(std::make_unique<MapLayer<T>>(MapOp::kSilu, T{0}, T{0}), false);
    }
    const std::string before = value_;
    advance(view.node());
    push(std::make_unique<MapLayer<T>>(map.op, map.p, map.q), false);
    if (map.op == MapOp::kSigmoid) close(Closing::kSigmoid, before);
  }

  void take_softmax(const NodeView& view) {
    const size_t rank = view.input(0).shape.size();
    if (view.get_axis("axis", -1, rank) + 1 != rank) view.unsupported("expected the last axis to train");
    const std::string before = value_;
    advance(view.node());
    push(std::make_unique<SoftmaxLayer<T>>(), false);
    close(Closing::kSoftmax, before);
  }

  void close(Closing how, const std::string& before) {
    chain_.closing = how;
    chain_.before_closing = before;
  }

  void take_dropout(const NodeView& view) {
    double rate = 0.5;
    if (view.has_input(1)) {
      const Tensor* ratio = view.constant(1);
      if (ratio == nullptr || ratio->size() != 1) view.unsupported("expected a constant ratio");
      rate = ratio->dtype() == DType::kFloat32 ? static_cast<double>(ratio->values<float>()[0])
                                               : ratio->values<double>()[0];
    }
    if (!(rate >= 0 && rate < 1)) view.fail("expected a ratio in [0, 1), got " + std::to_string(rate));
    advance(view.node());
    const uint32_t stream = dropouts_++;
    if (rate > 0) push(std::make_unique<DropoutLayer<T>>(rate, stream), false);
  }

  void take_batch_norm(const NodeView& view) {
    if (view.input(0).shape.size() != 2) view.unsupported("expected rows of one dimension to train");
    typename BatchNormLayer<T>::Parameters parameters;
    const size_t cols = shape_.cols;
    parameters.scale = vector(view, 1, cols);
    parameters.shift = vector(view, 2, cols);
    for (const size_t input : {3, 4}) {
      const PlacedParameter<T>& average = parameter(view, input);
      if (!average.listed || average.at.gradient != nullptr) {
        view.unsupported("expected '" + view.node().inputs[input] +
                         "' among the parameters, and not trainable: a moving average");
      }
      (input == 3 ? parameters.mean : parameters.variance) = average.at;
    }
    advance(view.node());
    push(std::make_unique<BatchNormLayer<T>>(cols, parameters,
                                             static_cast<T>(view.get_float("epsilon", 1e-5F)),
                                             static_cast<T>(view.get_float("momentum", 0.9F))),
         parameters.scale.gradient != nullptr || parameters.shift.gradient != nullptr);
  }

  void take_layer_norm(const NodeView& view) {
    const size_t rank = view.input(0).shape.size();
    if (view.get_axis("axis", -1, rank) + 1 != rank) view.unsupported("expected the last axis to train");
    const Parameter<T> scale = vector(view, 1, shape_.cols);
    const Parameter<T> shift = view.has_input(2) ? vector(view, 2, shape_.cols) : Parameter<T>{};
    advance(view.node());
    const T epsilon = static_cast<T>(view.get_float("epsilon", 1e-5F));
    push(std::make_unique<LayerNormLayer<T>>(shape_.cols, scale, shift, epsilon),
         scale.gradient != nullptr || shift.gradient != nullptr);
  }

  void take_gather(const NodeView& view) {
    const Shape& table = view.input(0).shape;
    if (value_ != graph_.inputs[0].name || view.node().inputs[1] != value_ || table.size() != 2 ||
        view.get_axis("axis", 0, 2) != 0) {
      view.unsupported("expected rows of a table of 2 dimensions, for indices that are the graph's input");
    }
    const PlacedParameter<T>& values = parameter(view, 0);
    chain_.table_rows = static_cast<size_t>(table[0]);
    const auto cols = static_cast<size_t>(table[1]);
    advance(view.node());
    shape_ = chain_.input;
    push(std::make_unique<EmbeddingLayer<T>>(chain_.table_rows, cols, values.at),
         values.at.gradient != nullptr);
  }

  void take_reshape(const NodeView& view) {
    if (view.node().inputs[0] != value_) refuse(view);
    const Shape to = checked_.types.at(view.node().outputs[0]).shape;
    advance(view.node());
    if (view.node().op != "Identity") reshape(to);
  }

  void reshape(const Shape& shape) {
    const SampleShape to = sample_shape(shape);
    if (to.positions == shape_.positions) return;
    if (same_layout<T>(shape_, to)) {
      shape_ = to;
    } else {
      push(std::make_unique<ReshapeLayer<T>>(to), false);
    }
  }

  // Sub or Add, then Mul or Div; either alone.
  void take_scale(const NodeView& view) {
    FeatureScale<T> by;
    const Node* node = &view.node();
    const bool shifts = node->op == "Sub" || node->op == "Add";
    if (shifts) {
      by.offset = column_values(view, node->op == "Add");
      advance(*node);
      node = following("Mul");
      if (node == nullptr) node = following("Div");
      if (node != nullptr && !scales_columns(*node)) node = nullptr;
      if (node != nullptr) ++next_;
    }
    if (node != nullptr) {
      by.by = node->op == "Div" ? ScaleBy::kDivide : ScaleBy::kMultiply;
      by.scale = column_values(view_of(*node), false);
      advance(*node);
    }
    if (by.offset == nullptr) by.offset = filled(0);
    if (by.scale == nullptr) by.scale = filled(1);
    push(std::make_unique<FeatureScaleLayer<T>>(by), false);
  }

  bool scales_columns(const Node& node) const {
    return graph_.initializers.count(node.inputs[node.inputs[0] == value_ ? 1 : 0]) > 0;
  }

  // The constant operand of an arithmetic node, one value a column.
  const T* column_values(const NodeView& view, bool negate) {
    const Node& node = view.node();
    const size_t operand = node.inputs[0] == value_ ? 1 : 0;
    const PlacedParameter<T>& given = parameter(view, operand);
    if (operand == 0 && (node.op == "Sub" || node.op == "Div")) {
      view.unsupported("expected a constant as its second operand");
    }
    if (given.at.gradient != nullptr)
      view.unsupported("expected constants; only a product's bias is trained");
    const Shape& shape = view.input(operand).shape;
    const size_t size = elements(shape);
    const bool per_column = size == shape_.cols && (size == 1 || static_cast<size_t>(shape.back()) == size);
    if (size != 1 && !per_column) view.unsupported("expected one value, or one a column");
    if (per_column && !negate) return given.at.value;
    if (given.listed) view.unsupported("expected a constant, not a parameter, of one value a column");
    AlignedBuffer<T> values(shape_.cols);
    for (size_t j = 0; j < shape_.cols; ++j) {
      const T value = given.at.value[per_column ? j : 0];
      values[j] = negate ? -value : value;
    }
    return keep(std::move(values));
  }

  const T* filled(T value) { return keep(AlignedBuffer<T>(shape_.cols, value)); }
  const T* keep(AlignedBuffer<T> values) {
    chain_.constants.push_back(std::move(values));
    return chain_.constants.back().data();
  }

  void push(std::unique_ptr<Layer<T>> layer, bool trains) {
    const SampleShape out = layer->output(shape_);
    expect_values(out);
    chain_.layers.push_back({std::move(layer), shape_, out, trains});
    shape_ = out;
    chain_.closing = Closing::kNone;
  }

  using ChainWalk<T>::graph_, ChainWalk<T>::checked_, ChainWalk<T>::nodes_, ChainWalk<T>::next_;
  using ChainWalk<T>::value_, ChainWalk<T>::view_of, ChainWalk<T>::following, ChainWalk<T>::is_silu;
  using ChainWalk<T>::is_parameter, ChainWalk<T>::parameter, ChainWalk<T>::vector, ChainWalk<T>::advance;

  SampleShape shape_;  // of value_
  uint32_t dropouts_ = 0;
  LayerChain<T> chain_;
};

}  // namespace

std::unordered_map<std::string, bool> find_product_weights(const Graph& graph) {
  std::unordered_map<std::string, bool> weights;
  for (const Node& node : graph.nodes) {
    if (!is_product(node)) continue;
    const auto transposed = node.attributes.find("transB");
    const int64_t* value =
        transposed == node.attributes.end() ? nullptr : std::get_if<int64_t>(&transposed->second);
    weights.emplace(node.inputs[1], value != nullptr && *value != 0);
  }
  return weights;
}

template <class T>
LayerChain<T> make_layer_chain(const Graph& graph, const Checked& checked,
                               const PlacedParameters<T>& parameters) {
  return ChainBuilder<T>(graph, checked, parameters).build();
}

template LayerChain<float> make_layer_chain(const Graph&, const Checked&, const PlacedParameters<float>&);
template LayerChain<double> make_layer_chain(const Graph&, const Checked&, const PlacedParameters<double>&);

}  // namespace maas
