#include "maas/program/steps/activation.h"
#include "maas/program/steps/families.h"

namespace maas {

namespace {

// A function of each value by itself.
template <class T>
class UnaryStep final : public Step {
 public:
  UnaryStep(const StepSpec& spec, ValueMap<T> map)
      : map_(map),
        fn_(find_map<T>(map.op)),
        from_(spec.inputs[0].slot),
        to_(spec.outputs[0].slot),
        batched_(spec.inputs[0].batched()),
        elements_(spec.inputs[0].elements()),
        name_(spec.view.node().op + " " + shape_text(spec.inputs[0].type.shape)) {}

  RunStatus run(const Block& block) const noexcept override {
    fn_(elements_ * (batched_ ? block.rows : 1), block.in<T>(from_), nullptr, block.out<T>(to_), map_.p,
        map_.q);
    return RunStatus::kOk;
  }
  std::string describe() const override { return name_; }

 private:
  ValueMap<T> map_;
  MapFn<T> fn_;
  size_t from_, to_;
  bool batched_;
  size_t elements_;
  std::string name_;
};

template <class T>
std::unique_ptr<Step> make_typed(StepSpec& spec) {
  const auto map = find_value_map<T>(spec.view);
  if (!map) spec.view.unsupported("limits that are not known before a run");
  return std::make_unique<UnaryStep<T>>(spec, *map);
}

std::unique_ptr<Step> make_unary(StepSpec& spec) {
  switch (spec.inputs[0].dtype()) {
    case DType::kFloat32: return make_typed<float>(spec);
    case DType::kFloat64: return make_typed<double>(spec);
    default: spec.view.unsupported(std::string("values of type ") + dtype_name(spec.inputs[0].dtype()));
  }
}

constexpr StepEntry kEntries[] = {
    {"Abs", "", make_unary},       {"Ceil", "", make_unary},
    {"Celu", "", make_unary},      {"Clip", "", make_unary},
    {"Elu", "", make_unary},       {"Erf", "", make_unary},
    {"Exp", "", make_unary},       {"Floor", "", make_unary},
    {"Gelu", "", make_unary},      {"HardSigmoid", "", make_unary},
    {"HardSwish", "", make_unary}, {"LeakyRelu", "", make_unary},
    {"Log", "", make_unary},       {"Mish", "", make_unary},
    {"Neg", "", make_unary},       {"Reciprocal", "", make_unary},
    {"Relu", "", make_unary},      {"Round", "", make_unary},
    {"Selu", "", make_unary},      {"Sigmoid", "", make_unary},
    {"Sign", "", make_unary},      {"Softplus", "", make_unary},
    {"Softsign", "", make_unary},  {"Sqrt", "", make_unary},
    {"Tanh", "", make_unary},      {"ThresholdedRelu", "", make_unary},
};

}  // namespace

std::span<const StepEntry> unary_steps() { return kEntries; }

}  // namespace maas
