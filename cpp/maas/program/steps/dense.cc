#include "maas/kernels/dense.h"

#include "maas/program/steps/families.h"

namespace maas {

namespace {

template <class T>
MatrixView<T> weights_view(const Tensor& weights, bool transposed) {
  const auto rows = static_cast<size_t>(weights.shape()[0]), cols = static_cast<size_t>(weights.shape()[1]);
  const MatrixView<T> view{weights.values<T>().data(), rows, cols, static_cast<ptrdiff_t>(cols), 1};
  return transposed ? view.transposed() : view;
}

// Rows times constant weights, and what is fused with that.
template <class T>
class DenseStep final : public Step {
 public:
  DenseStep(const StepSpec& spec, bool transposed, const Tensor* bias)
      : weights_(weights_view<T>(*spec.inputs[1].constant, transposed)),
        from_(spec.inputs[0].slot),
        to_(spec.outputs[0].slot),
        batched_(spec.inputs[0].batched()),
        rows_(spec.inputs[0].elements() / std::max<size_t>(1, weights_.rows())),
        name_(spec.view.node().op) {
    DenseSpec<T> layer;
    layer.weights = &weights_;
    if (bias != nullptr) {
      layer.bias = bias->values<T>().data();
      name_ += " + bias";
    }
    dense_ = Dense<T>(layer);
  }

  RunStatus run(const Block& block) const noexcept override {
    dense_.run(block.in<T>(from_), rows_ * (batched_ ? block.rows : 1), weights_.rows(), block.out<T>(to_),
               weights_.cols(), nullptr);
    return RunStatus::kOk;
  }
  std::string describe() const override {
    return name_ + " " + std::to_string(weights_.rows()) + " -> " + std::to_string(weights_.cols());
  }

 private:
  PackedMatrix<T> weights_;
  Dense<T> dense_;
  size_t from_, to_;
  bool batched_;
  size_t rows_;
  std::string name_;
};

std::unique_ptr<Step> make_dense(StepSpec& spec, bool transposed, const Tensor* bias) {
  const NodeView& view = spec.view;
  if (spec.inputs[1].constant == nullptr || spec.inputs[1].type.shape.size() != 2) {
    view.unsupported("a product with weights that are not a constant matrix");
  }
  switch (spec.inputs[0].dtype()) {
    case DType::kFloat32: return std::make_unique<DenseStep<float>>(spec, transposed, bias);
    case DType::kFloat64: return std::make_unique<DenseStep<double>>(spec, transposed, bias);
    default: view.unsupported(std::string("a product of ") + dtype_name(spec.inputs[0].dtype()));
  }
}

std::unique_ptr<Step> make_matmul(StepSpec& spec) { return make_dense(spec, false, nullptr); }

std::unique_ptr<Step> make_gemm(StepSpec& spec) {
  const NodeView& view = spec.view;
  const bool has_bias = spec.inputs.size() > 2 && spec.inputs[2].present;
  const Tensor* bias = has_bias ? spec.inputs[2].constant : nullptr;
  const auto columns = static_cast<size_t>(spec.outputs[0].type.shape.back());
  if (view.get_float("alpha", 1) != 1 || view.get_float("beta", 1) != 1 || view.get_int("transA", 0) != 0 ||
      (has_bias && (bias == nullptr || bias->size() != columns))) {
    view.unsupported("alpha, beta or transA, or a bias other than one constant a column");
  }
  return make_dense(spec, view.get_int("transB", 0) != 0, bias);
}

constexpr StepEntry kEntries[] = {{"MatMul", "", make_matmul}, {"Gemm", "", make_gemm}};

}  // namespace

std::span<const StepEntry> dense_steps() { return kEntries; }

}  // namespace maas
