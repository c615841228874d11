#include <cmath>

#include "maas/program/steps/families.h"

namespace maas {

namespace {

// Items equal to `replaced` become their column's value; a `replaced` of NaN means every NaN.
template <class T>
class ImputerStep final : public Step {
 public:
  ImputerStep(const StepSpec& spec, T replaced, std::vector<T> values)
      : input_(spec.inputs[0].slot),
        output_(spec.outputs[0].slot),
        batched_(spec.inputs[0].batched()),
        rows_(spec.inputs[0].elements() / values.size()),
        replaced_(replaced),
        values_(std::move(values)) {}

  RunStatus run(const Block& block) const noexcept override {
    const size_t rows = batched_ ? block.rows * rows_ : rows_, columns = values_.size();
    const T* in = block.in<T>(input_);
    T* __restrict out = block.out<T>(output_);
    const T* values = values_.data();
    const T replaced = replaced_;
    if (replaced != replaced) {
      for (size_t i = 0; i < rows; ++i, in += columns, out += columns) {
        for (size_t j = 0; j < columns; ++j) out[j] = in[j] != in[j] ? values[j] : in[j];
      }
    } else {
      for (size_t i = 0; i < rows; ++i, in += columns, out += columns) {
        for (size_t j = 0; j < columns; ++j) out[j] = in[j] == replaced ? values[j] : in[j];
      }
    }
    return RunStatus::kOk;
  }

  std::string describe() const override {
    return "Imputer " + std::to_string(values_.size()) + (replaced_ != replaced_ ? ", NaN" : "");
  }

 private:
  size_t input_, output_;
  bool batched_;
  size_t rows_;  // of one item of the batch
  T replaced_;
  std::vector<T> values_;  // one a column
};

template <class T, class Given>
std::unique_ptr<Step> make_of(const StepSpec& spec, Given replaced, const std::vector<Given>& given) {
  const Shape& shape = spec.inputs[0].type.shape;
  const size_t columns = shape.empty() || shape.back() < 1 ? 1 : static_cast<size_t>(shape.back());
  if (given.size() != 1 && given.size() != columns) {
    spec.view.fail("expected 1 or " + std::to_string(columns) + " imputed values, got " +
                   std::to_string(given.size()));
  }
  std::vector<T> values(columns);
  for (size_t j = 0; j < columns; ++j) values[j] = static_cast<T>(given[given.size() == 1 ? 0 : j]);
  return std::make_unique<ImputerStep<T>>(spec, static_cast<T>(replaced), std::move(values));
}

std::unique_ptr<Step> make_imputer(StepSpec& spec) {
  const NodeView& view = spec.view;
  const DType dtype = spec.inputs[0].dtype();
  if (is_float(dtype)) {
    const float replaced = view.get_float("replaced_value_float", 0);
    const std::vector<float> values = view.get_floats("imputed_value_floats");
    if (dtype == DType::kFloat32) return make_of<float>(spec, replaced, values);
    return make_of<double>(spec, replaced, values);
  }
  const int64_t replaced = view.get_int("replaced_value_int64", 0);
  const std::vector<int64_t> values = view.get_ints("imputed_value_int64s");
  if (dtype == DType::kInt64) return make_of<int64_t>(spec, replaced, values);
  if (dtype != DType::kInt32) view.fail("expected numbers");
  for (const int64_t value : values) {
    if (value != static_cast<int32_t>(value)) view.fail("expected imputed values that an int32 holds");
  }
  if (replaced != static_cast<int32_t>(replaced)) view.fail("expected a replaced value that an int32 holds");
  return make_of<int32_t>(spec, replaced, values);
}

constexpr StepEntry kEntries[] = {{"Imputer", kMlDomain, make_imputer}};

}  // namespace

std::span<const StepEntry> imputer_steps() { return kEntries; }

}  // namespace maas
