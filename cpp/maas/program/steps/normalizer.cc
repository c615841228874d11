#include <cmath>
#include <limits>

#include "maas/program/steps/families.h"

namespace maas {

namespace {

enum class Norm : uint8_t { kMax, kL1, kL2 };

// Sum of f(x[j]) in double, by four partials of j mod 4 and one fixed tree.
template <class T, class F>
double sum_of(const T* x, size_t n, F f) noexcept {
  double partial[4] = {0, 0, 0, 0};
  size_t j = 0;
  for (; j + 4 <= n; j += 4) {
    for (size_t p = 0; p < 4; ++p) partial[p] += f(static_cast<double>(x[j + p]));
  }
  for (size_t p = 0; j < n; ++j, ++p) partial[p] += f(static_cast<double>(x[j]));
  return (partial[0] + partial[2]) + (partial[1] + partial[3]);
}

// Rows divided by their norm, in double, put out as float32. The largest value is that of the standard: it
// has a sign. A divisor of zero leaves the row as it is.
template <class T>
class NormalizerStep final : public Step {
 public:
  NormalizerStep(const StepSpec& spec, Norm norm, size_t columns)
      : input_(spec.inputs[0].slot),
        output_(spec.outputs[0].slot),
        batched_(spec.inputs[0].batched()),
        rows_(spec.inputs[0].elements() / columns),
        columns_(columns),
        norm_(norm) {}

  RunStatus run(const Block& block) const noexcept override {
    const size_t rows = batched_ ? block.rows * rows_ : rows_;
    const T* in = block.in<T>(input_);
    float* out = block.out<float>(output_);
    for (size_t i = 0; i < rows; ++i, in += columns_, out += columns_) {
      const double norm = norm_of(in);
      const double divisor = norm == 0 ? 1 : norm;
      for (size_t j = 0; j < columns_; ++j) {
        const auto value = static_cast<float>(static_cast<double>(in[j]) / divisor);
        out[j] = value == value ? value : std::numeric_limits<float>::quiet_NaN();
      }
    }
    return RunStatus::kOk;
  }

  std::string describe() const override {
    constexpr const char* kNames[] = {"MAX", "L1", "L2"};
    return "Normalizer " + std::string(kNames[static_cast<int>(norm_)]) + " " + std::to_string(columns_);
  }

 private:
  double norm_of(const T* x) const noexcept {
    switch (norm_) {
      case Norm::kMax: {
        T largest = x[0];
        for (size_t j = 1; j < columns_; ++j) largest = x[j] > largest ? x[j] : largest;
        return static_cast<double>(largest);
      }
      case Norm::kL1: return sum_of(x, columns_, [](double v) { return std::fabs(v); });
      case Norm::kL2: return std::sqrt(sum_of(x, columns_, [](double v) { return v * v; }));
    }
    return 1;
  }

  size_t input_, output_;
  bool batched_;
  size_t rows_;  // of one item of the batch
  size_t columns_;
  Norm norm_;
};

Norm read_norm(const NodeView& view) {
  const std::string name = view.get_string("norm", "MAX");
  if (name == "MAX") return Norm::kMax;
  if (name == "L1") return Norm::kL1;
  if (name == "L2") return Norm::kL2;
  view.fail("expected norm to be MAX, L1 or L2, got '" + name + "'");
}

std::unique_ptr<Step> make_normalizer(StepSpec& spec) {
  const Norm norm = read_norm(spec.view);
  const Shape& shape = spec.inputs[0].type.shape;
  const size_t columns = shape.empty() || shape.back() < 1 ? 1 : static_cast<size_t>(shape.back());
  switch (spec.inputs[0].dtype()) {
    case DType::kFloat32: return std::make_unique<NormalizerStep<float>>(spec, norm, columns);
    case DType::kFloat64: return std::make_unique<NormalizerStep<double>>(spec, norm, columns);
    case DType::kInt64: return std::make_unique<NormalizerStep<int64_t>>(spec, norm, columns);
    case DType::kInt32: return std::make_unique<NormalizerStep<int32_t>>(spec, norm, columns);
    default: spec.view.fail("expected numbers");
  }
}

constexpr StepEntry kEntries[] = {{"Normalizer", kMlDomain, make_normalizer}};

}  // namespace

std::span<const StepEntry> normalizer_steps() { return kEntries; }

}  // namespace maas
