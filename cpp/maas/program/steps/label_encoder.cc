#include <type_traits>

#include "maas/program/steps/families.h"
#include "maas/program/steps/key_table.h"

namespace maas {

namespace {

template <class T>
inline constexpr bool kIsText = std::is_same_v<T, std::string_view>;

// Out: how many bytes an item has, not what they mean; a string is the view of one that `texts` holds.
template <class In, class Out>
class LabelEncoderStep final : public Step {
 public:
  using Table = std::conditional_t<kIsText<In>, TextTable, NumberTable>;

  // The last of `values` is what keys not listed become.
  LabelEncoderStep(const StepSpec& spec, Table table, Tensor values)
      : input_(spec.inputs[0].slot),
        output_(spec.outputs[0].slot),
        batched_(spec.inputs[0].batched()),
        items_(spec.inputs[0].elements()),
        table_(std::move(table)),
        values_(std::move(values)),
        data_(static_cast<const Out*>(values_.data())),
        otherwise_(static_cast<uint32_t>(values_.size() - 1)) {}

  RunStatus run(const Block& block) const noexcept override {
    const size_t count = batched_ ? block.rows * items_ : items_;
    const In* in = block.in<In>(input_);
    Out* out = block.out<Out>(output_);
    for (size_t i = 0; i < count; ++i) {
      uint32_t place;
      if constexpr (kIsText<In>) {
        place = table_.find(in[i]);
      } else {
        place = table_.find(key_bits(in[i]));
      }
      out[i] = data_[place == kAbsent ? otherwise_ : place];
    }
    return RunStatus::kOk;
  }

  std::string describe() const override {
    return "LabelEncoder " + std::to_string(otherwise_) + " " + dtype_name(dtype_of<In>) + " keys -> " +
           dtype_name(values_.dtype());
  }

 private:
  size_t input_, output_;
  bool batched_;
  size_t items_;
  Table table_;
  Tensor values_;
  const Out* data_;
  uint32_t otherwise_;
};

// `values` with `otherwise` behind them.
template <class T>
Tensor with_default(std::span<const T> values, T otherwise) {
  if constexpr (kIsText<T>) {
    std::vector<std::string> all(values.begin(), values.end());
    all.emplace_back(otherwise);
    const auto count = static_cast<int64_t>(all.size());
    return Tensor::of_strings({count}, std::move(all));
  } else {
    std::vector<T> all(values.begin(), values.end());
    all.push_back(otherwise);
    return Tensor::of({static_cast<int64_t>(all.size())}, all.data());
  }
}

template <class T>
Tensor tensor_values(const NodeView& view, T otherwise) {
  const Tensor* given = view.get_tensor("default_tensor");
  if (given != nullptr && given->size() == 1 && given->dtype() == dtype_of<T>) {
    otherwise = given->template values<T>()[0];
  }
  return with_default(view.get_tensor("values_tensor")->template values<T>(), otherwise);
}

// Each kind of values has its own default; a tensor's may also be the attribute of its type.
Tensor read_values(const NodeView& view) {
  const float default_float = view.get_float("default_float", -0.0f);
  const int64_t default_int = view.get_int("default_int64", -1);
  const std::string default_text = view.get_string("default_string", "_Unused");
  if (view.has("values_strings")) {
    std::vector<std::string> values = view.get_strings("values_strings");
    values.push_back(default_text);
    const auto count = static_cast<int64_t>(values.size());
    return Tensor::of_strings({count}, std::move(values));
  }
  if (view.has("values_int64s")) {
    return with_default<int64_t>(view.get_ints("values_int64s"), default_int);
  }
  if (view.has("values_floats")) return with_default<float>(view.get_floats("values_floats"), default_float);
  const Tensor* values = view.get_tensor("values_tensor");
  if (values == nullptr) view.fail("expected one of the attributes values_*");
  switch (values->dtype()) {
    case DType::kFloat32: return tensor_values<float>(view, default_float);
    case DType::kFloat64: return tensor_values<double>(view, default_float);
    case DType::kInt64: return tensor_values<int64_t>(view, default_int);
    case DType::kInt32: return tensor_values<int32_t>(view, static_cast<int32_t>(default_int));
    case DType::kString: return tensor_values<std::string_view>(view, default_text);
    case DType::kBool: break;
  }
  view.unsupported("expected values of numbers or strings, got bool");
}

// The keys, which are of the input's type: check_graph has seen to that.
template <class T>
std::vector<T> read_keys(const NodeView& view) {
  if (const Tensor* keys = view.get_tensor("keys_tensor")) {
    if (keys->dtype() != dtype_of<T>) view.fail("expected keys of the input's type");
    const auto values = keys->template values<T>();
    return {values.begin(), values.end()};
  }
  if constexpr (std::is_same_v<T, float>) return view.get_floats("keys_floats");
  if constexpr (std::is_same_v<T, int64_t>) return view.get_ints("keys_int64s");
  view.fail("expected keys of the input's type");
}

std::vector<std::string> read_texts(const NodeView& view) {
  const Tensor* keys = view.get_tensor("keys_tensor");
  if (keys == nullptr) return view.get_strings("keys_strings");
  if (keys->dtype() != DType::kString) view.fail("expected keys of the input's type");
  const auto values = keys->values<std::string_view>();
  return {values.begin(), values.end()};
}

template <class In>
std::unique_ptr<Step> make_for_keys(const StepSpec& spec, size_t keys,
                                    typename LabelEncoderStep<In, uint32_t>::Table table) {
  Tensor values = read_values(spec.view);
  if (values.size() != keys + 1) spec.view.fail("expected as many values as keys");
  if (values.dtype() != spec.outputs[0].dtype()) spec.view.fail("expected values of the output's type");
  switch (item_size(values.dtype())) {
    case 4: return std::make_unique<LabelEncoderStep<In, uint32_t>>(spec, std::move(table), values);
    case 8: return std::make_unique<LabelEncoderStep<In, uint64_t>>(spec, std::move(table), values);
    default: return std::make_unique<LabelEncoderStep<In, std::string_view>>(spec, std::move(table), values);
  }
}

template <class In>
std::unique_ptr<Step> make_number(const StepSpec& spec) {
  std::vector<uint64_t> bits;
  for (const In key : read_keys<In>(spec.view)) bits.push_back(key_bits(key));
  return make_for_keys<In>(spec, bits.size(), NumberTable(bits, Repeated::kLast));
}

std::unique_ptr<Step> make_label_encoder(StepSpec& spec) {
  switch (spec.inputs[0].dtype()) {
    case DType::kFloat32: return make_number<float>(spec);
    case DType::kFloat64: return make_number<double>(spec);
    case DType::kInt64: return make_number<int64_t>(spec);
    case DType::kInt32: return make_number<int32_t>(spec);
    case DType::kBool: break;
    case DType::kString: {
      std::vector<std::string> keys = read_texts(spec.view);
      const size_t count = keys.size();
      return make_for_keys<std::string_view>(spec, count, TextTable(std::move(keys), Repeated::kLast));
    }
  }
  spec.view.unsupported("expected numbers or strings, got bool");
}

constexpr StepEntry kEntries[] = {{"LabelEncoder", kMlDomain, make_label_encoder}};

}  // namespace

std::span<const StepEntry> label_encoder_steps() { return kEntries; }

}  // namespace maas
