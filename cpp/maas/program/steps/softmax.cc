#include "maas/kernels/softmax.h"

#include "maas/program/steps/families.h"
#include "maas/program/steps/last_axes.h"
#include "maas/program/steps/node_step.h"

namespace maas {

namespace {

// Along the last axis; any other is brought there and back.
template <class T>
class SoftmaxStep final : public NodeStep {
 public:
  SoftmaxStep(StepSpec& spec, RowOp op, const std::vector<bool>& along)
      : NodeStep(spec),
        op_(op),
        rows_(find_rows<T>()),
        axes_(spec.inputs[0], along),
        batched_(spec.inputs[0].batched()),
        from_(spec.inputs[0].slot),
        to_(spec.outputs[0].slot) {
    spec.work_bytes = axes_.work_bytes(batched_ ? spec.block_rows : 1);
  }

  RunStatus run(const Block& block) const noexcept override {
    const size_t rows = batched_ ? block.rows : 1, count = axes_.inner();
    if (count == 0) return RunStatus::kOk;
    const T* x = static_cast<const T*>(axes_.bring(block.slots[from_], rows, block.work));
    T* out = axes_.in_place() ? block.out<T>(to_) : reinterpret_cast<T*>(block.work);
    rows_(op_, x, rows * axes_.outer(), count, count, out, count);
    if (!axes_.in_place()) axes_.put_back(out, block.slots[to_], rows);
    return RunStatus::kOk;
  }

 private:
  RowOp op_;
  RowsFn<T> rows_;
  LastAxes axes_;
  bool batched_;
  size_t from_, to_;
};

template <RowOp op>
std::unique_ptr<Step> make_softmax(StepSpec& spec) {
  const Operand& in = spec.inputs[0];
  const size_t first = in.batched() ? 1 : 0, rank = in.type.shape.size();
  std::vector<bool> along(rank - first, false);
  along[spec.view.get_axis("axis", -1, rank) - first] = true;
  if (in.dtype() == DType::kFloat32) return std::make_unique<SoftmaxStep<float>>(spec, op, along);
  return std::make_unique<SoftmaxStep<double>>(spec, op, along);
}

constexpr StepEntry kEntries[] = {{"Softmax", "", make_softmax<RowOp::kSoftmax>},
                                  {"LogSoftmax", "", make_softmax<RowOp::kLogSoftmax>}};

}  // namespace

std::span<const StepEntry> softmax_steps() { return kEntries; }

}  // namespace maas
