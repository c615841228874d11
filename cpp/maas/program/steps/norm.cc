#include "maas/kernels/norm.h"

#include <cmath>

#include "maas/base/aligned.h"
#include "maas/kernels/reduce.h"
#include "maas/program/steps/copy_plan.h"
#include "maas/program/steps/families.h"
#include "maas/program/steps/node_step.h"

namespace maas {

namespace {

// One mean, variance, scale and shift a channel: axis 1 of the value.
template <class T>
class BatchNormStep final : public NodeStep {
 public:
  explicit BatchNormStep(StepSpec& spec)
      : NodeStep(spec),
        batch_(find_norms<T>().batch_channels),
        epsilon_(static_cast<T>(spec.view.get_float("epsilon", 1e-5F))),
        from_(spec.inputs[0].slot),
        to_(spec.outputs[0].slot) {
    const Shape& shape = spec.inputs[0].type.shape;
    batched_ = spec.inputs[0].batched();
    rows_ = batched_ ? 1 : static_cast<size_t>(shape[0]);
    for (size_t axis = 1; axis < shape.size(); ++axis) {
      (axis == 1 ? channels_ : inner_) *= static_cast<size_t>(shape[axis]);
    }
    for (size_t i = 1; i < 5; ++i) slots_[i - 1] = spec.inputs[i].slot;
    const Tensor* variance = spec.inputs[4].constant;
    if (variance != nullptr) {
      deviation_ = AlignedBuffer<T>(channels_);
      norm_deviation(variance->values<T>().data(), channels_, epsilon_, deviation_.data());
    } else {
      spec.work_bytes = channels_ * sizeof(T);
    }
  }

  RunStatus run(const Block& block) const noexcept override {
    const T* deviation = deviation_.data();
    if (deviation == nullptr) {
      T* computed = reinterpret_cast<T*>(block.work);
      norm_deviation(block.in<T>(slots_[3]), channels_, epsilon_, computed);
      deviation = computed;
    }
    const BatchNorm<T> by{block.in<T>(slots_[2]), deviation, block.in<T>(slots_[0]), block.in<T>(slots_[1])};
    batch_(by, block.in<T>(from_), batched_ ? block.rows : rows_, channels_, inner_, block.out<T>(to_));
    return RunStatus::kOk;
  }

 private:
  void (*batch_)(const BatchNorm<T>&, const T*, size_t, size_t, size_t, T*);
  T epsilon_;
  AlignedBuffer<T> deviation_;  // empty where the variance is found in the run
  size_t rows_ = 1, channels_ = 1, inner_ = 1;
  bool batched_ = false;
  size_t slots_[4] = {};  // scale, shift, mean, variance
  size_t from_, to_;
};

// A weight of LayerNormalization for each of the values normalised together.
template <class T>
class NormWeight {
 public:
  NormWeight() = default;
  NormWeight(const Operand& operand, const Shape& normalised, size_t& work_bytes)
      : present_(operand.present), slot_(operand.slot) {
    if (!present_) return;
    in_place_ = operand.elements() == elements(normalised);
    plan_ = expand_plan(sizeof(T), operand.type.shape, normalised, 0, 0);
    offset_ = work_bytes;
    if (!in_place_)
      work_bytes += (elements(normalised) * sizeof(T) + kAlignment - 1) / kAlignment * kAlignment;
  }
  const T* values(const Block& block) const noexcept {
    if (!present_) return nullptr;
    if (in_place_) return block.in<T>(slot_);
    plan_.run(block.slots[slot_], block.work + offset_, 1);
    return reinterpret_cast<const T*>(block.work + offset_);
  }

 private:
  bool present_ = false, in_place_ = true;
  size_t slot_ = 0, offset_ = 0;
  CopyPlan plan_;
};

template <class T>
class LayerNormStep final : public NodeStep {
 public:
  explicit LayerNormStep(StepSpec& spec)
      : NodeStep(spec),
        layer_(find_norms<T>().layer),
        epsilon_(static_cast<T>(spec.view.get_float("epsilon", 1e-5F))),
        from_(spec.inputs[0].slot) {
    const Operand& x = spec.inputs[0];
    const auto axis = static_cast<ptrdiff_t>(spec.view.get_axis("axis", -1, x.type.shape.size()));
    const Shape normalised(x.type.shape.begin() + axis, x.type.shape.end());
    batched_ = x.batched();
    count_ = elements(normalised);
    rows_ = count_ == 0 ? 0 : x.elements() / count_;
    scale_ = NormWeight<T>(spec.inputs[1], normalised, spec.work_bytes);
    if (spec.inputs.size() > 2) bias_ = NormWeight<T>(spec.inputs[2], normalised, spec.work_bytes);
    for (size_t i = 0; i < spec.outputs.size() && i < 3; ++i) {
      if (spec.outputs[i].present) to_[i] = spec.outputs[i].slot;
      wanted_[i] = spec.outputs[i].present;
    }
  }

  RunStatus run(const Block& block) const noexcept override {
    const size_t rows = rows_ * (batched_ ? block.rows : 1);
    const T* x = block.in<T>(from_);
    if (wanted_[0]) {
      layer_(x, rows, count_, scale_.values(block), bias_.values(block), epsilon_, block.out<T>(to_[0]));
    }
    if (wanted_[1] || wanted_[2]) put_statistics(block, x, rows);
    return RunStatus::kOk;
  }

 private:
  // The mean and the inverse deviation of each row, in float32 whatever the values are.
  void put_statistics(const Block& block, const T* x, size_t rows) const noexcept {
    const auto count = static_cast<double>(count_);
    for (size_t i = 0; i < rows; ++i, x += count_) {
      const double mean = reduce(Reduction::kSum, count_, x) / count;
      double squares = 0;
      for (size_t j = 0; j < count_; ++j) {
        const double difference = static_cast<double>(x[j]) - mean;
        squares += difference * difference;
      }
      const double inverse = 1 / std::sqrt(squares / count + static_cast<double>(epsilon_));
      if (wanted_[1]) block.out<float>(to_[1])[i] = static_cast<float>(mean);
      if (wanted_[2]) block.out<float>(to_[2])[i] = static_cast<float>(inverse);
    }
  }

  void (*layer_)(const T*, size_t, size_t, const T*, const T*, T, T*);
  T epsilon_;
  NormWeight<T> scale_, bias_;
  size_t rows_ = 0, count_ = 0;
  bool batched_ = false;
  bool wanted_[3] = {};
  size_t from_, to_[3] = {};
};

template <template <class> class NormStep>
std::unique_ptr<Step> make_norm(StepSpec& spec) {
  if (spec.inputs[0].dtype() == DType::kFloat32) return std::make_unique<NormStep<float>>(spec);
  return std::make_unique<NormStep<double>>(spec);
}

constexpr StepEntry kEntries[] = {{"BatchNormalization", "", make_norm<BatchNormStep>},
                                  {"LayerNormalization", "", make_norm<LayerNormStep>}};

}  // namespace

std::span<const StepEntry> norm_steps() { return kEntries; }

}  // namespace maas
