#include "maas/program/steps/broadcast.h"

#include "maas/program/steps/copy_plan.h"

namespace maas {

namespace {

// Bytes from one index to the next along each axis of an operand, 0 where it repeats, for the axes of `out`.
std::vector<ptrdiff_t> steps_of(const Operand& operand, const Shape& out) {
  const Shape& own = operand.type.shape;
  std::vector<ptrdiff_t> steps(out.size());
  auto step = static_cast<ptrdiff_t>(item_size(operand.dtype()));
  for (size_t i = 0; i < own.size(); ++i) {
    const int64_t count = own[own.size() - 1 - i];
    if (count != 1) steps[out.size() - 1 - i] = step;
    step *= count;
  }
  return steps;
}

}  // namespace

template <size_t kInputs>
BroadcastPlan<kInputs>::BroadcastPlan(const Operand& out, const std::array<const Operand*, kInputs>& inputs)
    : empty_(out.elements() == 0), batched_(out.batched()), item_(item_size(out.dtype())) {
  const Shape& shape = out.type.shape;
  std::array<std::vector<ptrdiff_t>, kInputs> steps;
  for (size_t k = 0; k < kInputs; ++k) steps[k] = steps_of(*inputs[k], shape);
  for (size_t i = 0; i < shape.size(); ++i) {
    const bool rows = i == 0 && batched_;
    if (shape[i] == 1) continue;
    Axis axis{rows ? 1 : static_cast<size_t>(shape[i]), {}};
    for (size_t k = 0; k < kInputs; ++k) axis.steps[k] = steps[k][i];
    bool joins = count_ > 0;
    for (size_t k = 0; joins && k < kInputs; ++k) {
      joins = axes_[count_ - 1].steps[k] == axis.steps[k] * static_cast<ptrdiff_t>(axis.count);
    }
    if (joins) {
      axes_[count_ - 1].count *= axis.count;
      axes_[count_ - 1].steps = axis.steps;
    } else {
      axes_[count_++] = axis;
    }
  }
  if (count_ == 0) count_ = 1;  // a single item
  for (size_t k = 0; k < kInputs; ++k) {
    along_[k] = axes_[count_ - 1].steps[k] == 0 ? Along::kOne : Along::kItems;
  }
}

template class BroadcastPlan<1>;
template class BroadcastPlan<2>;
template class BroadcastPlan<3>;

}  // namespace maas
