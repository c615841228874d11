#include <limits>
#include <type_traits>

#include "maas/kernels/norm.h"
#include "maas/program/steps/families.h"

namespace maas {

namespace {

// (x - offset) * scale, in double where x is double and in float32 otherwise, put out as float32. Integers
// are rounded to float32 first.
template <class T>
class ScalerStep final : public Step {
 public:
  using Work = std::conditional_t<std::is_same_v<T, double>, double, float>;

  // `columns` is the last dimension; one value of offset or scale serves them all.
  ScalerStep(const StepSpec& spec, size_t columns, const std::vector<float>& offset,
             const std::vector<float>& scale)
      : input_(spec.inputs[0].slot),
        output_(spec.outputs[0].slot),
        batched_(spec.inputs[0].batched()),
        rows_(spec.inputs[0].elements() / columns),
        offset_(columns),
        scale_(columns) {
    for (size_t j = 0; j < columns; ++j) {
      offset_[j] = offset.empty() ? 0 : offset[offset.size() == 1 ? 0 : j];
      scale_[j] = scale.empty() ? 1 : scale[scale.size() == 1 ? 0 : j];
    }
  }

  RunStatus run(const Block& block) const noexcept override {
    const size_t rows = batched_ ? block.rows * rows_ : rows_, columns = offset_.size();
    const T* in = block.in<T>(input_);
    float* out = block.out<float>(output_);
    const Work* offset = offset_.data();
    const Work* scale = scale_.data();
    if constexpr (std::is_same_v<T, float>) {
      norms_.scale({offset, scale, ScaleBy::kMultiply}, in, rows, columns, columns, out, columns);
    } else {
      for (size_t i = 0; i < rows; ++i, in += columns, out += columns) {
        for (size_t j = 0; j < columns; ++j) {
          const auto value = static_cast<float>((static_cast<Work>(in[j]) - offset[j]) * scale[j]);
          out[j] = value == value ? value : std::numeric_limits<float>::quiet_NaN();
        }
      }
    }
    return RunStatus::kOk;
  }

  std::string describe() const override { return "Scaler " + std::to_string(offset_.size()); }

 private:
  size_t input_, output_;
  bool batched_;
  size_t rows_;  // of one item of the batch
  std::vector<Work> offset_, scale_;
  NormFns<float> norms_ = find_norms<float>();
};

// One where a number is greater than the threshold, else zero; NaN is not greater.
template <class T>
class BinarizerStep final : public Step {
 public:
  BinarizerStep(const StepSpec& spec, float threshold)
      : input_(spec.inputs[0].slot),
        output_(spec.outputs[0].slot),
        batched_(spec.inputs[0].batched()),
        items_(spec.inputs[0].elements()),
        threshold_(threshold) {}

  RunStatus run(const Block& block) const noexcept override {
    const size_t count = batched_ ? block.rows * items_ : items_;
    const T* in = block.in<T>(input_);
    T* out = block.out<T>(output_);
    for (size_t i = 0; i < count; ++i) out[i] = static_cast<T>(static_cast<Work>(in[i]) > threshold_);
    return RunStatus::kOk;
  }

  std::string describe() const override { return "Binarizer > " + std::to_string(threshold_); }

 private:
  using Work = std::conditional_t<std::is_same_v<T, float>, float, double>;
  size_t input_, output_;
  bool batched_;
  size_t items_;
  Work threshold_;
};

template <class T>
std::unique_ptr<Step> make_scaler_of(const StepSpec& spec) {
  const std::vector<float> offset = spec.view.get_floats("offset"), scale = spec.view.get_floats("scale");
  const Shape& shape = spec.inputs[0].type.shape;
  const bool scalar = shape.empty() || shape.back() < 1;  // one column, also where there are no elements
  const size_t columns = scalar ? 1 : static_cast<size_t>(shape.back());
  for (const size_t length : {offset.size(), scale.size()}) {
    if (length > 1 && length != columns) {
      spec.view.fail("expected 1 or " + std::to_string(columns) + " values of offset and scale, got " +
                     std::to_string(length));
    }
  }
  return std::make_unique<ScalerStep<T>>(spec, columns, offset, scale);
}

std::unique_ptr<Step> make_scaler(StepSpec& spec) {
  switch (spec.inputs[0].dtype()) {
    case DType::kFloat32: return make_scaler_of<float>(spec);
    case DType::kFloat64: return make_scaler_of<double>(spec);
    case DType::kInt64: return make_scaler_of<int64_t>(spec);
    case DType::kInt32: return make_scaler_of<int32_t>(spec);
    default: spec.view.fail("expected numbers");
  }
}

std::unique_ptr<Step> make_binarizer(StepSpec& spec) {
  const float threshold = spec.view.get_float("threshold", 0);
  switch (spec.inputs[0].dtype()) {
    case DType::kFloat32: return std::make_unique<BinarizerStep<float>>(spec, threshold);
    case DType::kFloat64: return std::make_unique<BinarizerStep<double>>(spec, threshold);
    case DType::kInt64: return std::make_unique<BinarizerStep<int64_t>>(spec, threshold);
    case DType::kInt32: return std::make_unique<BinarizerStep<int32_t>>(spec, threshold);
    default: spec.view.fail("expected numbers");
  }
}

constexpr StepEntry kEntries[] = {{"Scaler", kMlDomain, make_scaler},
                                  {"Binarizer", kMlDomain, make_binarizer}};

}  // namespace

std::span<const StepEntry> scaler_steps() { return kEntries; }

}  // namespace maas
