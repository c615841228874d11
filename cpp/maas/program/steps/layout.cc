#include <algorithm>
#include <cstring>
#include <vector>

#include "maas/program/steps/copy_plan.h"
#include "maas/program/steps/families.h"
#include "maas/program/steps/node_step.h"

namespace maas {

namespace {

// One strided copy an input or output.
class StridedCopyStep final : public NodeStep {
 public:
  struct Copy {
    CopyPlan plan;
    size_t from, to;  // slots
  };
  StridedCopyStep(const StepSpec& spec, std::vector<Copy> copies)
      : NodeStep(spec), copies_(std::move(copies)), batched_(spec.outputs[0].batched()) {}

  RunStatus run(const Block& block) const noexcept override {
    const size_t rows = batched_ ? block.rows : 1;
    for (const Copy& copy : copies_) copy.plan.run(block.slots[copy.from], block.slots[copy.to], rows);
    return RunStatus::kOk;
  }

 private:
  std::vector<Copy> copies_;
  bool batched_;
};

// One operand's side of a copy: its row's shape, and bytes from one index, row and item to the next.
struct Side {
  explicit Side(const Operand& operand)
      : item(static_cast<ptrdiff_t>(item_size(operand.dtype()))),
        shape(operand.row_shape()),
        strides(contiguous_strides(shape)),
        row(operand.batched() ? static_cast<ptrdiff_t>(operand.elements()) * item : 0) {
    for (ptrdiff_t& stride : strides) stride *= item;
  }
  ptrdiff_t item;
  Shape shape;
  std::vector<ptrdiff_t> strides;
  ptrdiff_t row;
};

// The axis without the batch in front of it.
size_t row_axis(const Operand& operand, size_t axis) { return axis - (operand.batched() ? 1 : 0); }

std::unique_ptr<Step> make_one(const StepSpec& spec, const std::vector<CopyAxis>& axes, const Side& from,
                               const Side& to, ptrdiff_t from_offset = 0) {
  const CopyPlan plan(item_size(spec.outputs[0].dtype()), axes, from.row, to.row, from_offset);
  return std::make_unique<StridedCopyStep>(
      spec, std::vector<StridedCopyStep::Copy>{{plan, spec.inputs[0].slot, spec.outputs[0].slot}});
}

// The same items in another shape, where the compiler has not made the two names one value.
std::unique_ptr<Step> make_reshape(StepSpec& spec) {
  const Side from(spec.inputs[0]), to(spec.outputs[0]);
  return make_one(spec, {{spec.outputs[0].elements(), to.item, to.item}}, from, to);
}

std::unique_ptr<Step> make_transpose(StepSpec& spec) {
  const Operand& in = spec.inputs[0];
  const size_t rank = in.type.shape.size();
  std::vector<int64_t> order = spec.view.get_ints("perm");
  if (order.empty()) {
    for (size_t i = 0; i < rank; ++i) order.push_back(static_cast<int64_t>(rank - 1 - i));
  }
  const Side from(in), to(spec.outputs[0]);
  const size_t first = in.batched() ? 1 : 0;
  std::vector<CopyAxis> axes;
  for (size_t i = first; i < rank; ++i) {
    const size_t source = static_cast<size_t>(order[i]) - first;
    axes.push_back({static_cast<size_t>(from.shape[source]), from.strides[source], to.strides[i - first]});
  }
  return make_one(spec, axes, from, to);
}

std::unique_ptr<Step> make_expand(StepSpec& spec) {
  const Side from(spec.inputs[0]), to(spec.outputs[0]);
  const CopyPlan plan =
      expand_plan(item_size(spec.outputs[0].dtype()), from.shape, to.shape, from.row, to.row);
  return std::make_unique<StridedCopyStep>(
      spec, std::vector<StridedCopyStep::Copy>{{plan, spec.inputs[0].slot, spec.outputs[0].slot}});
}

std::unique_ptr<Step> make_tile(StepSpec& spec) {
  const Side from(spec.inputs[0]), to(spec.outputs[0]);
  std::vector<CopyAxis> axes;
  for (size_t i = 0; i < to.shape.size(); ++i) {
    if (to.shape[i] == 0) return make_one(spec, {{0, 0, 0}}, from, to);
    axes.push_back({static_cast<size_t>(to.shape[i] / from.shape[i]), 0, to.strides[i] * from.shape[i]});
    axes.push_back({static_cast<size_t>(from.shape[i]), from.strides[i], to.strides[i]});
  }
  return make_one(spec, axes, from, to);
}

// Where a slice begins along an axis of `count` items.
int64_t slice_start(int64_t start, int64_t step, int64_t count) {
  if (start < 0) start = start < -count ? 0 : start + count;
  return step > 0 ? std::clamp<int64_t>(start, 0, count) : std::clamp<int64_t>(start, 0, count - 1);
}

std::unique_ptr<Step> make_slice(StepSpec& spec) {
  const NodeView& view = spec.view;
  const Operand& in = spec.inputs[0];
  const Side from(in), to(spec.outputs[0]);
  const auto starts = view.constant_ints(1);
  std::vector<int64_t> axes, steps;
  if (view.has_input(3)) axes = view.constant_ints(3);
  if (view.has_input(4)) steps = view.constant_ints(4);
  const auto rank = static_cast<int64_t>(in.type.shape.size());
  std::vector<CopyAxis> copied;
  for (size_t i = 0; i < to.shape.size(); ++i) {
    copied.push_back({static_cast<size_t>(to.shape[i]), from.strides[i], to.strides[i]});
  }
  ptrdiff_t offset = 0;
  for (size_t k = 0; k < starts.size() && spec.outputs[0].elements() > 0; ++k) {
    int64_t axis = axes.empty() ? static_cast<int64_t>(k) : axes[k];
    if (axis < 0) axis += rank;
    if (axis == 0 && in.batched()) continue;  // check_graph lets only all rows through
    const size_t i = row_axis(in, static_cast<size_t>(axis));
    const int64_t step = steps.empty() ? 1 : steps[k];
    offset += slice_start(starts[k], step, from.shape[i]) * from.strides[i];
    if (copied[i].count > 1)
      copied[i].from *= step;  // a step may be as large as int64 where one item is left
  }
  return make_one(spec, copied, from, to, offset);
}

// Concat's inputs and Split's outputs lie side by side along one axis of the whole.
std::unique_ptr<Step> make_joints(const StepSpec& spec, const Operand& whole,
                                  const std::vector<Operand>& parts, bool split) {
  const size_t rank = whole.type.shape.size();
  const size_t axis = row_axis(whole, spec.view.get_axis("axis", 0, rank));
  const Side all(whole);
  std::vector<StridedCopyStep::Copy> copies;
  ptrdiff_t offset = 0;
  for (const Operand& operand : parts) {
    const Side part(operand);
    const ptrdiff_t begin = offset;
    offset += part.shape[axis] * all.strides[axis];
    if (!operand.present) continue;
    std::vector<CopyAxis> axes;
    for (size_t i = 0; i < part.shape.size(); ++i) {
      CopyAxis a{static_cast<size_t>(part.shape[i]), part.strides[i], all.strides[i]};
      if (split) std::swap(a.from, a.to);
      axes.push_back(a);
    }
    const auto item = static_cast<size_t>(part.item);
    if (split) {
      copies.push_back({CopyPlan(item, axes, all.row, part.row, begin), whole.slot, operand.slot});
    } else {
      copies.push_back({CopyPlan(item, axes, part.row, all.row, 0, begin), operand.slot, whole.slot});
    }
  }
  return std::make_unique<StridedCopyStep>(spec, std::move(copies));
}

std::unique_ptr<Step> make_concat(StepSpec& spec) {
  return make_joints(spec, spec.outputs[0], spec.inputs, false);
}

std::unique_ptr<Step> make_split(StepSpec& spec) {
  return make_joints(spec, spec.inputs[0], spec.outputs, true);
}

// One value, that of an attribute, everywhere: as often as the first input, a shape, says.
class FillStep final : public NodeStep {
 public:
  explicit FillStep(const StepSpec& spec)
      : NodeStep(spec), count_(spec.outputs[0]), to_(spec.outputs[0].slot) {
    const Tensor* value = spec.view.get_tensor("value");
    if (value != nullptr) value_ = *value;
    const float zero = 0;
    if (value == nullptr) value_ = Tensor::of<float>({1}, &zero);
  }
  RunStatus run(const Block& block) const noexcept override {
    with_items(value_.dtype(), [&]<class T>() {
      std::fill_n(block.out<T>(to_), count_(block.rows), *static_cast<const T*>(value_.data()));
    });
    return RunStatus::kOk;
  }

 private:
  Tensor value_;
  ItemCount count_;
  size_t to_;
};

std::unique_ptr<Step> make_constant_of_shape(StepSpec& spec) { return std::make_unique<FillStep>(spec); }

constexpr StepEntry kEntries[] = {
    {"Concat", "", make_concat},     {"ConstantOfShape", "", make_constant_of_shape},
    {"Dropout", "", make_reshape},   {"Expand", "", make_expand},
    {"Flatten", "", make_reshape},   {"Identity", "", make_reshape},
    {"Reshape", "", make_reshape},   {"Slice", "", make_slice},
    {"Split", "", make_split},       {"Squeeze", "", make_reshape},
    {"Tile", "", make_tile},         {"Transpose", "", make_transpose},
    {"Unsqueeze", "", make_reshape},
};

}  // namespace

std::span<const StepEntry> layout_steps() { return kEntries; }

}  // namespace maas
