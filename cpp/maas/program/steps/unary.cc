#include "maas/kernels/elementwise.h"
#include "maas/program/steps/families.h"

namespace maas {

namespace {

// Functions of one value each, by the kernels of kernels/elementwise.h.
template <class T>
class UnaryStep final : public Step {
 public:
  UnaryStep(const StepSpec& spec, MapOp op)
      : op_(op),
        from_(spec.inputs[0].slot),
        to_(spec.outputs[0].slot),
        batched_(spec.inputs[0].batched()),
        elements_(spec.inputs[0].elements()),
        name_(spec.view.node().op + " " + shape_text(spec.inputs[0].type.shape)) {}

  RunStatus run(const Block& block) const noexcept override {
    map_arrays(op_, elements_ * (batched_ ? block.rows : 1), block.in<T>(from_), nullptr, block.out<T>(to_));
    return RunStatus::kOk;
  }
  std::string describe() const override { return name_; }

 private:
  MapOp op_;
  size_t from_, to_;
  bool batched_;
  size_t elements_;
  std::string name_;
};

template <MapOp op>
std::unique_ptr<Step> make_unary(StepSpec& spec) {
  switch (spec.inputs[0].dtype()) {
    case DType::kFloat32: return std::make_unique<UnaryStep<float>>(spec, op);
    case DType::kFloat64: return std::make_unique<UnaryStep<double>>(spec, op);
    default: spec.view.unsupported(std::string("values of type ") + dtype_name(spec.inputs[0].dtype()));
  }
}

constexpr StepEntry kEntries[] = {
    {"Relu", "", make_unary<MapOp::kRelu>},
    {"Sigmoid", "", make_unary<MapOp::kSigmoid>},
    {"Tanh", "", make_unary<MapOp::kTanh>},
};

}  // namespace

std::span<const StepEntry> unary_steps() { return kEntries; }

}  // namespace maas
