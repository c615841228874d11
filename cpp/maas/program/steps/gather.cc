#include <cstring>
#include <vector>

#include "maas/program/steps/copy_plan.h"
#include "maas/program/steps/families.h"
#include "maas/program/steps/node_step.h"

namespace maas {

namespace {

template <size_t kBytes>
struct CopyItem {
  void operator()(std::byte* to, const std::byte* from, size_t) const { std::memcpy(to, from, kBytes); }
};
struct CopyBytes {
  void operator()(std::byte* to, const std::byte* from, size_t bytes) const { std::memcpy(to, from, bytes); }
};

// Calls fn with a copying function for `bytes`, so that the loop around it is made for that size.
template <class Fn>
auto with_copy(size_t bytes, Fn&& fn) {
  switch (bytes) {
    case 1: return fn(CopyItem<1>());
    case 4: return fn(CopyItem<4>());
    case 8: return fn(CopyItem<8>());
    case 16: return fn(CopyItem<16>());
    default: return fn(CopyBytes());
  }
}

std::vector<size_t> checked_indices(const NodeView& view, const Tensor& indices, size_t count) {
  std::vector<size_t> result;
  for (size_t k = 0; k < indices.size(); ++k) {
    const int64_t index =
        indices.dtype() == DType::kInt64 ? indices.values<int64_t>()[k] : indices.values<int32_t>()[k];
    const auto signed_count = static_cast<int64_t>(count);
    if (index < -signed_count || index >= signed_count) {
      view.fail("expected indices of an axis of " + std::to_string(count) + " items, got " +
                std::to_string(index));
    }
    result.push_back(static_cast<size_t>(index < 0 ? index + signed_count : index));
  }
  return result;
}

// Data seen as outer × count × run, of which Gather takes items of the middle axis.
struct Middle {
  Middle(const Operand& data, size_t axis) {
    const Shape& shape = data.type.shape;
    const size_t first = data.batched() ? 1 : 0;
    for (size_t i = first; i < axis; ++i) outer *= static_cast<size_t>(shape[i]);
    count = axis < first ? 0 : static_cast<size_t>(shape[axis]);
    run = item_size(data.dtype());
    for (size_t i = axis + 1; i < shape.size(); ++i) run *= static_cast<size_t>(shape[i]);
  }
  size_t outer = 1, count = 0, run = 0;
};

// Indices known beforehand.
class TakeStep final : public NodeStep {
 public:
  TakeStep(const StepSpec& spec, const Middle& middle, const std::vector<size_t>& indices)
      : NodeStep(spec),
        middle_(middle),
        batched_(spec.outputs[0].batched()),
        from_(spec.inputs[0].slot),
        to_(spec.outputs[0].slot) {
    for (const size_t index : indices) offsets_.push_back(index * middle.run);
  }

  RunStatus run(const Block& block) const noexcept override {
    const size_t outer = middle_.outer * (batched_ ? block.rows : 1), run = middle_.run;
    const std::byte* from = block.in<std::byte>(from_);
    std::byte* to = block.out<std::byte>(to_);
    with_copy(run, [&](auto copy) {
      for (size_t i = 0; i < outer; ++i, from += middle_.count * run) {
        for (const size_t offset : offsets_) {
          copy(to, from + offset, run);
          to += run;
        }
      }
    });
    return RunStatus::kOk;
  }

 private:
  Middle middle_;
  std::vector<size_t> offsets_;
  bool batched_;
  size_t from_, to_;
};

// Indices found in the run: batched where the data are not.
template <class Index>
class GatherStep final : public NodeStep {
 public:
  GatherStep(const StepSpec& spec, const Middle& middle)
      : NodeStep(spec),
        middle_(middle),
        batched_data_(spec.inputs[0].batched()),
        indices_(spec.inputs[1]),
        from_(spec.inputs[0].slot),
        index_(spec.inputs[1].slot),
        to_(spec.outputs[0].slot) {}

  RunStatus run(const Block& block) const noexcept override {
    const size_t outer = middle_.outer * (batched_data_ ? block.rows : 1), run = middle_.run;
    const size_t taken = indices_(block.rows);
    const Index* indices = block.in<Index>(index_);
    const std::byte* from = block.in<std::byte>(from_);
    std::byte* to = block.out<std::byte>(to_);
    bool ok = true;
    with_copy(run, [&](auto copy) {
      for (size_t i = 0; i < outer; ++i, from += middle_.count * run) {
        for (size_t k = 0; k < taken; ++k, to += run) {
          const auto index = static_cast<uint64_t>(
              indices[k] < 0 ? indices[k] + static_cast<int64_t>(middle_.count) : indices[k]);
          if (index < middle_.count) {
            copy(to, from + index * run, run);
          } else {
            std::memset(to, 0, run);
            ok = false;
          }
        }
      }
    });
    return ok ? RunStatus::kOk : RunStatus::kIndexOutOfRange;
  }

 private:
  Middle middle_;
  bool batched_data_;
  ItemCount indices_;
  size_t from_, index_, to_;
};

class StridedGatherStep final : public NodeStep {
 public:
  StridedGatherStep(const StepSpec& spec, const CopyPlan& plan)
      : NodeStep(spec),
        plan_(plan),
        batched_(spec.outputs[0].batched()),
        from_(spec.inputs[0].slot),
        to_(spec.outputs[0].slot) {}
  RunStatus run(const Block& block) const noexcept override {
    plan_.run(block.slots[from_], block.slots[to_], batched_ ? block.rows : 1);
    return RunStatus::kOk;
  }

 private:
  CopyPlan plan_;
  bool batched_;
  size_t from_, to_;
};

// Indices a fixed step apart make a strided copy; null where they are not.
std::unique_ptr<Step> make_strided(const StepSpec& spec, const Middle& middle,
                                   const std::vector<size_t>& indices) {
  if (indices.empty()) return nullptr;
  const ptrdiff_t step = indices.size() < 2 ? 1 : static_cast<ptrdiff_t>(indices[1] - indices[0]);
  for (size_t k = 1; k < indices.size(); ++k) {
    if (static_cast<ptrdiff_t>(indices[k] - indices[k - 1]) != step) return nullptr;
  }
  const auto run = static_cast<ptrdiff_t>(middle.run);
  const auto item = static_cast<ptrdiff_t>(item_size(spec.inputs[0].dtype()));
  const auto count = static_cast<ptrdiff_t>(middle.count), taken = static_cast<ptrdiff_t>(indices.size());
  const CopyAxis outer{middle.outer, count * run, taken * run};
  const CopyAxis along{indices.size(), step * run, run};
  const CopyAxis items{middle.run / static_cast<size_t>(item), item, item};
  const auto rows = static_cast<ptrdiff_t>(middle.outer);
  return std::make_unique<StridedGatherStep>(
      spec, CopyPlan(static_cast<size_t>(item), {outer, along, items}, rows * outer.from, rows * outer.to,
                     static_cast<ptrdiff_t>(indices[0]) * run));
}

std::unique_ptr<Step> make_gather(StepSpec& spec) {
  const NodeView& view = spec.view;
  const Operand& data = spec.inputs[0];
  const size_t axis = view.get_axis("axis", 0, data.type.shape.size());
  const Middle middle(data, axis);
  if (const Tensor* indices = spec.inputs[1].constant) {
    const auto checked = checked_indices(view, *indices, middle.count);
    if (auto step = make_strided(spec, middle, checked)) return step;
    return std::make_unique<TakeStep>(spec, middle, checked);
  }
  if (spec.inputs[1].dtype() == DType::kInt64) return std::make_unique<GatherStep<int64_t>>(spec, middle);
  return std::make_unique<GatherStep<int32_t>>(spec, middle);
}

// out[i][j] = data[i][indices[i][j]] for the last of two axes, and so on.
template <class Index>
class GatherElementsStep final : public NodeStep {
 public:
  GatherElementsStep(const StepSpec& spec, size_t axis)
      : NodeStep(spec),
        batched_(spec.inputs[1].batched()),
        item_(item_size(spec.inputs[0].dtype())),
        from_(spec.inputs[0].slot),
        index_(spec.inputs[1].slot),
        to_(spec.outputs[0].slot) {
    const Operand& data = spec.inputs[0];
    const Shape shape = data.row_shape(), taken = spec.inputs[1].row_shape();
    const auto strides = contiguous_strides(shape);
    // Rows of indices into data that know no rows run along the axis gathered from.
    const size_t lead = shape.size() - taken.size(), first = data.batched() ? 1 : 0;
    count_ = static_cast<size_t>(data.type.shape[axis]);
    stride_ = static_cast<size_t>(strides[axis - first]);
    row_ = data.batched() ? data.elements() : 0;
    bases_.assign(elements(taken), 0);
    const auto own = contiguous_strides(taken);
    for (size_t e = 0; e < bases_.size(); ++e) {
      for (size_t i = 0; i < taken.size(); ++i) {
        if (i + lead == axis - first) continue;
        const auto at = static_cast<int64_t>(e) / own[i] % taken[i];
        bases_[e] += static_cast<size_t>(at * strides[i + lead]);
      }
    }
  }

  RunStatus run(const Block& block) const noexcept override {
    const size_t rows = batched_ ? block.rows : 1;
    const Index* indices = block.in<Index>(index_);
    const std::byte* from = block.in<std::byte>(from_);
    std::byte* to = block.out<std::byte>(to_);
    bool ok = true;
    with_copy(item_, [&](auto copy) {
      for (size_t r = 0; r < rows; ++r, from += row_ * item_) {
        for (const size_t base : bases_) {
          const int64_t index = *indices++;
          const auto at = static_cast<uint64_t>(index < 0 ? index + static_cast<int64_t>(count_) : index);
          if (at < count_) {
            copy(to, from + (base + at * stride_) * item_, item_);
          } else {
            std::memset(to, 0, item_);
            ok = false;
          }
          to += item_;
        }
      }
    });
    return ok ? RunStatus::kOk : RunStatus::kIndexOutOfRange;
  }

 private:
  bool batched_;
  size_t item_, count_ = 0, stride_ = 0, row_ = 0;
  std::vector<size_t> bases_;  // of each index of a row: where its items lie, but for the axis
  size_t from_, index_, to_;
};

std::unique_ptr<Step> make_gather_elements(StepSpec& spec) {
  const size_t axis = spec.view.get_axis("axis", 0, spec.inputs[0].type.shape.size());
  if (spec.inputs[1].dtype() == DType::kInt64) {
    return std::make_unique<GatherElementsStep<int64_t>>(spec, axis);
  }
  return std::make_unique<GatherElementsStep<int32_t>>(spec, axis);
}

constexpr StepEntry kEntries[] = {{"Gather", "", make_gather}, {"GatherElements", "", make_gather_elements}};

}  // namespace

std::span<const StepEntry> gather_steps() { return kEntries; }

}  // namespace maas
