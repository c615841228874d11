#include <cstring>

#include "maas/program/steps/families.h"
#include "maas/program/steps/key_table.h"

namespace maas {

namespace {

// Numbers are cut to integers; those that no int64 holds, NaN among them, belong to no category.
template <class T>
uint32_t find_category(const NumberTable& table, T value) noexcept {
  if constexpr (std::is_floating_point_v<T>) {
    constexpr T kLimit = static_cast<T>(9223372036854775808.0);
    if (!(value >= -kLimit && value < kLimit)) return kAbsent;
  }
  return table.find(key_bits(static_cast<int64_t>(value)));
}

uint32_t find_category(const TextTable& table, std::string_view value) noexcept { return table.find(value); }

// Each item becomes a row of zeros with a one at its category; of equal categories the first counts.
template <class T, class Table>
class OneHotStep final : public Step {
 public:
  OneHotStep(const StepSpec& spec, Table table, size_t categories, bool zeros)
      : input_(spec.inputs[0].slot),
        output_(spec.outputs[0].slot),
        batched_(spec.inputs[0].batched()),
        items_(spec.inputs[0].elements()),
        table_(std::move(table)),
        categories_(categories),
        zeros_(zeros) {}

  RunStatus run(const Block& block) const noexcept override {
    const size_t count = batched_ ? block.rows * items_ : items_;
    const T* in = block.in<T>(input_);
    float* out = block.out<float>(output_);
    if (count * categories_ == 0) return RunStatus::kOk;
    std::memset(out, 0, count * categories_ * sizeof(float));
    bool known = true;
    for (size_t i = 0; i < count; ++i, out += categories_) {
      const uint32_t place = find_category(table_, in[i]);
      if (place != kAbsent) {
        out[place] = 1;
      } else {
        known = false;
      }
    }
    return known || zeros_ ? RunStatus::kOk : RunStatus::kUnknownCategory;
  }

  std::string describe() const override {
    return "OneHotEncoder " + std::to_string(items_) + " x " + std::to_string(categories_) +
           (zeros_ ? "" : ", unknown refused");
  }

 private:
  size_t input_, output_;
  bool batched_;
  size_t items_;
  Table table_;
  size_t categories_;
  bool zeros_;
};

template <class T>
std::unique_ptr<Step> make_number(const StepSpec& spec, bool zeros) {
  std::vector<uint64_t> keys;
  for (const int64_t category : spec.view.get_ints("cats_int64s")) keys.push_back(key_bits(category));
  return std::make_unique<OneHotStep<T, NumberTable>>(spec, NumberTable(keys, Repeated::kFirst), keys.size(),
                                                      zeros);
}

std::unique_ptr<Step> make_one_hot(StepSpec& spec) {
  const bool zeros = spec.view.get_int("zeros", 1) != 0;
  switch (spec.inputs[0].dtype()) {
    case DType::kFloat32: return make_number<float>(spec, zeros);
    case DType::kFloat64: return make_number<double>(spec, zeros);
    case DType::kInt64: return make_number<int64_t>(spec, zeros);
    case DType::kInt32: return make_number<int32_t>(spec, zeros);
    case DType::kBool: break;
    case DType::kString: {
      std::vector<std::string> keys = spec.view.get_strings("cats_strings");
      const size_t categories = keys.size();
      return std::make_unique<OneHotStep<std::string_view, TextTable>>(
          spec, TextTable(std::move(keys), Repeated::kFirst), categories, zeros);
    }
  }
  spec.view.unsupported("expected numbers or strings, got bool");
}

constexpr StepEntry kEntries[] = {{"OneHotEncoder", kMlDomain, make_one_hot}};

}  // namespace

std::span<const StepEntry> one_hot_steps() { return kEntries; }

}  // namespace maas
