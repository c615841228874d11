#include "maas/kernels/dense.h"

#include "maas/program/steps/activation.h"
#include "maas/program/steps/families.h"
#include "maas/program/steps/private_ops.h"
#include "maas/program/steps/product.h"

namespace maas {

namespace {

template <class T>
const T* values_of(const StepSpec& spec, size_t input) {
  if (input >= spec.inputs.size() || !spec.inputs[input].present) return nullptr;
  return spec.inputs[input].constant->values<T>().data();
}

// The node of a fused activation by itself.
Node activation_node(const Node& fused) {
  Node node;
  node.op = std::get<std::string>(fused.attributes.at(dense_attribute::kActivation));
  node.inputs.emplace_back("x");
  for (size_t i = dense_input::kActivation; i < fused.inputs.size(); ++i) {
    node.inputs.push_back(fused.inputs[i]);
  }
  const std::string prefix = dense_attribute::kPrefix;
  for (const auto& [name, value] : fused.attributes) {
    if (name.rfind(prefix, 0) == 0) node.attributes.emplace(name.substr(prefix.size()), value);
  }
  return node;
}

template <class T>
Activation<T> find_activation(const StepSpec& spec) {
  if (!spec.view.has(dense_attribute::kActivation)) return {};
  const Node node = activation_node(spec.view.node());
  if (node.op == "Softmax") return {Activation<T>::kSoftmax};
  if (node.op == "LogSoftmax") return {Activation<T>::kLogSoftmax};
  std::vector<const ValueType*> types = {&spec.outputs[0].type};
  std::vector<const Tensor*> constants = {nullptr};
  for (size_t i = dense_input::kActivation; i < spec.inputs.size(); ++i) {
    const Operand& operand = spec.inputs[i];
    types.push_back(operand.present ? &operand.type : nullptr);
    constants.push_back(operand.constant);
  }
  const auto map = find_value_map<T>(NodeView(node, std::move(types), std::move(constants)));
  if (!map) spec.view.fail("expected an activation, got " + node.op);
  return {Activation<T>::kMap, map->op, map->p, map->q};
}

// Rows times constant weights, and what is fused with that.
template <class T>
class DenseStep final : public Step {
 public:
  // `bias` may be null.
  DenseStep(StepSpec& spec, bool transposed, const T* bias)
      : weights_(matrix_view<T>(*spec.inputs[1].constant, transposed)),
        from_(spec.inputs[0].slot),
        to_(spec.outputs[0].slot),
        batched_(spec.inputs[0].batched()),
        rows_(count_rows(spec.inputs[0].row_shape())) {
    DenseSpec<T> layer;
    layer.weights = &weights_;
    layer.bias = bias;
    if (spec.view.node().op == kDenseOp) add_fused(spec, layer);
    dense_ = Dense<T>(layer);
    spec.work_bytes = sizeof(T) * dense_.work_values(rows_ * spec.block_rows);
    name_ = spec.view.get_string(dense_attribute::kOperators, spec.view.node().op) + " " +
            std::to_string(weights_.rows()) + " -> " + std::to_string(weights_.cols());
  }

  RunStatus run(const Block& block) const noexcept override {
    dense_.run(block.in<T>(from_), rows_ * (batched_ ? block.rows : 1), weights_.rows(), block.out<T>(to_),
               weights_.cols(), reinterpret_cast<T*>(block.work));
    return RunStatus::kOk;
  }
  std::string describe() const override { return name_; }

 private:
  // Rows of the product in one row of a run: what stands before the last dimension.
  static size_t count_rows(Shape shape) {
    shape.pop_back();
    return elements(shape);
  }

  void add_fused(const StepSpec& spec, DenseSpec<T>& layer) {
    using namespace dense_input;
    layer.scale.offset = values_of<T>(spec, kOffset);
    layer.scale.scale = values_of<T>(spec, kScale);
    layer.scale.by =
        spec.view.get_int(dense_attribute::kDivide, 0) != 0 ? ScaleBy::kDivide : ScaleBy::kMultiply;
    if (const T* scale = values_of<T>(spec, kNormScale)) {
      deviation_ = AlignedBuffer<T>(weights_.cols());
      norm_deviation(values_of<T>(spec, kNormScale + 3), weights_.cols(),
                     static_cast<T>(spec.view.get_float(dense_attribute::kEpsilon, 1e-5F)),
                     deviation_.data());
      layer.norm = {values_of<T>(spec, kNormScale + 2), deviation_.data(), scale,
                    values_of<T>(spec, kNormScale + 1)};
    }
    layer.activation = find_activation<T>(spec);
  }

  PackedMatrix<T> weights_;
  AlignedBuffer<T> deviation_;
  Dense<T> dense_;
  size_t from_, to_;
  bool batched_;
  size_t rows_;
  std::string name_;
};

template <class T>
std::unique_ptr<Step> make_typed(StepSpec& spec) {
  const bool transposed = spec.view.get_int(dense_attribute::kTransposed, 0) != 0;
  const T* bias = spec.view.node().op == "MatMul" ? nullptr : values_of<T>(spec, dense_input::kBias);
  return std::make_unique<DenseStep<T>>(spec, transposed, bias);
}

std::unique_ptr<Step> make_dense(StepSpec& spec) {
  if (!is_dense(spec.view)) return make_product(spec);
  return spec.inputs[0].dtype() == DType::kFloat32 ? make_typed<float>(spec) : make_typed<double>(spec);
}

constexpr StepEntry kEntries[] = {
    {kDenseOp, kPrivateDomain, make_dense}, {"MatMul", "", make_dense}, {"Gemm", "", make_dense}};

}  // namespace

bool is_dense(const NodeView& view) {
  if (view.node().domain == kPrivateDomain) return true;
  const Tensor* weights = view.constant(1);
  if (!is_float(view.input(0).dtype) || weights == nullptr || weights->size() == 0) return false;
  if (view.node().op == "MatMul") return weights->shape().size() == 1 || weights->shape().size() == 2;
  if (view.get_float("alpha", 1) != 1 || view.get_int("transA", 0) != 0) return false;
  if (!view.has_input(2)) return true;
  const int64_t columns = weights->shape()[view.get_int("transB", 0) != 0 ? 0 : 1];
  return view.get_float("beta", 1) == 1 && is_per_column(view.constant(2), columns);
}

bool is_per_column(const Tensor* constant, int64_t columns) {
  if (constant == nullptr || constant->size() != static_cast<size_t>(columns)) return false;
  return constant->shape().empty() ? columns == 1 : constant->shape().back() == columns;
}

std::span<const StepEntry> dense_steps() { return kEntries; }

}  // namespace maas
