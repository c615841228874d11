#include <cstring>

#include "maas/program/steps/families.h"
#include "maas/program/steps/private_ops.h"

namespace maas {

namespace {

// A value put out in a second place: an input, a constant or another output.
class CopyStep final : public Step {
 public:
  explicit CopyStep(const StepSpec& spec)
      : from_(spec.inputs[0].slot),
        to_(spec.outputs[0].slot),
        batched_(spec.inputs[0].batched()),
        bytes_(spec.inputs[0].elements() * item_size(spec.inputs[0].dtype())),
        type_(spec.inputs[0].type) {}

  RunStatus run(const Block& block) const noexcept override {
    const size_t bytes = bytes_ * (batched_ ? block.rows : 1);
    if (bytes > 0) std::memcpy(block.slots[to_], block.slots[from_], bytes);
    return RunStatus::kOk;
  }
  std::string describe() const override {
    return std::string("Copy ") + dtype_name(type_.dtype) + " " + shape_text(type_.shape);
  }

 private:
  size_t from_, to_;
  bool batched_;
  size_t bytes_;
  ValueType type_;
};

std::unique_ptr<Step> make_copy(StepSpec& spec) {
  if (spec.outputs.size() > 1 && spec.outputs[1].present)
    spec.view.unsupported("a mask as its second output");
  return std::make_unique<CopyStep>(spec);
}

// The operators that only rename values become aliases; they run where their input is constant.
constexpr StepEntry kEntries[] = {
    {kCopyOp, kPrivateDomain, make_copy}, {"Identity", "", make_copy}, {"Reshape", "", make_copy},
    {"Flatten", "", make_copy},           {"Squeeze", "", make_copy},  {"Unsqueeze", "", make_copy},
    {"Dropout", "", make_copy},
};

}  // namespace

std::span<const StepEntry> copy_steps() { return kEntries; }

}  // namespace maas
