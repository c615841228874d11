#include "maas/program/steps/families.h"
#include "maas/program/steps/last_axes.h"
#include "maas/program/steps/node_step.h"

namespace maas {

namespace {

using ArgRows = void (*)(const void* x, size_t rows, size_t count, int64_t* out);

// The place of the largest (or least) value, the first or last of equals. NaN beats all numbers, as in numpy.
template <class T, bool kMax, bool kLast>
int64_t arg_extreme(const T* x, size_t n) {
  size_t best = kLast ? n - 1 : 0;
  for (size_t k = 0; k < n; ++k) {
    const size_t i = kLast ? n - 1 - k : k;
    if (x[i] != x[i]) return static_cast<int64_t>(i);
    if (kMax ? x[i] > x[best] : x[i] < x[best]) best = i;
  }
  return static_cast<int64_t>(best);
}

template <class T, bool kMax, bool kLast>
void arg_rows(const void* x, size_t rows, size_t count, int64_t* out) {
  const T* from = static_cast<const T*>(x);
  for (size_t i = 0; i < rows; ++i, from += count) out[i] = arg_extreme<T, kMax, kLast>(from, count);
}

class ArgStep final : public NodeStep {
 public:
  ArgStep(StepSpec& spec, ArgRows arg, const std::vector<bool>& gone)
      : NodeStep(spec),
        arg_(arg),
        axes_(spec.inputs[0], gone),
        batched_(spec.inputs[0].batched()),
        from_(spec.inputs[0].slot),
        to_(spec.outputs[0].slot) {
    spec.work_bytes = axes_.work_bytes(batched_ ? spec.block_rows : 1);
  }

  RunStatus run(const Block& block) const noexcept override {
    const size_t rows = batched_ ? block.rows : 1;
    const void* x = axes_.bring(block.slots[from_], rows, block.work);
    arg_(x, rows * axes_.outer(), axes_.inner(), block.out<int64_t>(to_));
    return RunStatus::kOk;
  }

 private:
  ArgRows arg_;
  LastAxes axes_;
  bool batched_;
  size_t from_, to_;
};

template <bool kMax>
std::unique_ptr<Step> make_arg(StepSpec& spec) {
  const Operand& in = spec.inputs[0];
  const size_t first = in.batched() ? 1 : 0, rank = in.type.shape.size();
  std::vector<bool> gone(rank - first, false);
  gone[spec.view.get_axis("axis", 0, rank) - first] = true;
  const bool last = spec.view.get_int("select_last_index", 0) != 0;
  const ArgRows arg = with_numbers(in.dtype(), [&]<class T>() -> ArgRows {
    return last ? arg_rows<T, kMax, true> : arg_rows<T, kMax, false>;
  });
  return std::make_unique<ArgStep>(spec, arg, gone);
}

constexpr StepEntry kEntries[] = {{"ArgMax", "", make_arg<true>}, {"ArgMin", "", make_arg<false>}};

}  // namespace

std::span<const StepEntry> arg_extreme_steps() { return kEntries; }

}  // namespace maas
