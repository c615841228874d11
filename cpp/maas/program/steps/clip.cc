#include <limits>
#include <string>
#include <type_traits>

#include "maas/program/steps/binary_loop.h"
#include "maas/program/steps/families.h"
#include "maas/program/steps/map_step.h"

namespace maas {

namespace {

// Limits found in the run, or of integers; an absent one limits nothing.
template <class T>
class ClipStep final : public NodeStep {
 public:
  explicit ClipStep(const StepSpec& spec)
      : NodeStep(spec), count_(spec.inputs[0]), from_(spec.inputs[0].slot), to_(spec.outputs[0].slot) {
    has_low_ = spec.inputs.size() > 1 && spec.inputs[1].present;
    has_high_ = spec.inputs.size() > 2 && spec.inputs[2].present;
    if (has_low_) low_ = spec.inputs[1].slot;
    if (has_high_) high_ = spec.inputs[2].slot;
    if constexpr (std::is_floating_point_v<T>) map_ = find_map<T>(MapOp::kClip);
  }

  RunStatus run(const Block& block) const noexcept override {
    using Limits = std::numeric_limits<T>;
    const T lowest = Limits::has_infinity ? -Limits::infinity() : Limits::lowest();
    const T highest = Limits::has_infinity ? Limits::infinity() : Limits::max();
    const T low = has_low_ ? *block.in<T>(low_) : lowest;
    const T high = has_high_ ? *block.in<T>(high_) : highest;
    const T* x = block.in<T>(from_);
    T* out = block.out<T>(to_);
    const size_t count = count_(block.rows);
    if constexpr (std::is_floating_point_v<T>) {
      map_(count, x, nullptr, out, low, high);
    } else {
      MAAS_INDEPENDENT
      for (size_t i = 0; i < count; ++i) {
        const T raised = x[i] > low ? x[i] : low;
        out[i] = raised < high ? raised : high;
      }
    }
    return RunStatus::kOk;
  }

 private:
  using Map = void (*)(size_t, const T*, const T*, T*, T, T);
  Map map_ = nullptr;
  bool has_low_ = false, has_high_ = false;
  ItemCount count_;
  size_t from_, to_, low_ = 0, high_ = 0;
};

std::unique_ptr<Step> make_clip(StepSpec& spec) {
  if (auto step = make_map(spec)) return step;
  return with_numbers(spec.inputs[0].dtype(), [&]<class T>() -> std::unique_ptr<Step> {
    return std::make_unique<ClipStep<T>>(spec);
  });
}

// As LeakyRelu of kernels/activation-inl.h; NaN comes out canonical.
struct PReluOp {
  template <class T>
  static T apply(T x, T slope, bool&) {
    return canonical(x < 0 ? slope * x : x);
  }
};

std::unique_ptr<Step> make_prelu(StepSpec& spec) {
  BinaryCall call(spec.inputs[0], spec.inputs[1], spec.outputs[0]);
  switch (spec.inputs[0].dtype()) {
    case DType::kFloat32: call.loop = pick_binary_loop<PReluOp, float>(call.plan); break;
    case DType::kFloat64: call.loop = pick_binary_loop<PReluOp, double>(call.plan); break;
    default: spec.view.unsupported(std::string("values of type ") + dtype_name(spec.inputs[0].dtype()));
  }
  return std::make_unique<BinaryStep>(spec, call);
}

constexpr StepEntry kEntries[] = {{"Clip", "", make_clip}, {"PRelu", "", make_prelu}};

}  // namespace

std::span<const StepEntry> clip_steps() { return kEntries; }

}  // namespace maas
