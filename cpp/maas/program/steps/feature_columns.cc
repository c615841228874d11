#include <algorithm>

#include "maas/program/steps/families.h"

namespace maas {

namespace {

// Columns of the last dimension, in the order asked for. Either side may be the one of the rows: chosen
// columns of each row, or of one constant list the entries that each row asks for.
template <class Item>
class FeatureExtractorStep final : public Step {
 public:
  explicit FeatureExtractorStep(const StepSpec& spec)
      : data_(spec.inputs[0].slot),
        indices_(spec.inputs[1].slot),
        output_(spec.outputs[0].slot),
        data_batched_(spec.inputs[0].batched()),
        indices_batched_(spec.inputs[1].batched()),
        columns_(static_cast<size_t>(spec.inputs[0].row_shape().back())),
        rows_(spec.inputs[0].elements() / std::max<size_t>(1, columns_)),
        count_(spec.inputs[1].elements()) {
    if (const Tensor* constant = spec.inputs[1].constant) {
      const auto values = constant->values<int64_t>();
      known_.assign(values.begin(), values.end());
      for (const int64_t index : known_) {
        if (!in_range(index)) {
          spec.view.fail("expected indices below " + std::to_string(columns_) + ", got " +
                         std::to_string(index));
        }
      }
    }
  }

  RunStatus run(const Block& block) const noexcept override {
    const Item* in = block.in<Item>(data_);
    Item* out = block.out<Item>(output_);
    const size_t rows = rows_ * (data_batched_ ? block.rows : 1);
    if (!known_.empty() || count_ == 0) {
      for (size_t i = 0; i < rows; ++i, in += columns_) {
        for (const int64_t index : known_) *out++ = in[index];
      }
      return RunStatus::kOk;
    }
    const int64_t* indices = block.in<int64_t>(indices_);
    const size_t count = count_ * (indices_batched_ ? block.rows : 1);
    bool valid = true;
    for (size_t i = 0; i < rows; ++i, in += columns_) {
      for (size_t k = 0; k < count; ++k) {
        const bool fits = in_range(indices[k]);
        valid &= fits;
        *out++ = fits ? in[indices[k]] : Item{};
      }
    }
    return valid ? RunStatus::kOk : RunStatus::kIndexOutOfRange;
  }

  std::string describe() const override {
    return "ArrayFeatureExtractor " + std::to_string(columns_) + " -> " + std::to_string(count_);
  }

 private:
  bool in_range(int64_t index) const { return index >= 0 && static_cast<size_t>(index) < columns_; }

  size_t data_, indices_, output_;
  bool data_batched_, indices_batched_;
  size_t columns_, rows_, count_;
  std::vector<int64_t> known_;  // checked; empty where the indices come with a run
};

std::unique_ptr<Step> make_extractor(StepSpec& spec) {
  const Operand &data = spec.inputs[0], &indices = spec.inputs[1];
  if (data.row_shape().empty()) {
    spec.view.unsupported("a choice of columns across the rows of the batch");
  }
  if (data.batched() && indices.batched()) {
    spec.view.unsupported("indices that differ from row to row of data that do as well");
  }
  switch (item_size(data.dtype())) {
    case 1: return std::make_unique<FeatureExtractorStep<uint8_t>>(spec);
    case 4: return std::make_unique<FeatureExtractorStep<uint32_t>>(spec);
    case 8: return std::make_unique<FeatureExtractorStep<uint64_t>>(spec);
    default: return std::make_unique<FeatureExtractorStep<std::string_view>>(spec);
  }
}

// The inputs' rows side by side, as float32.
template <class T>
class FeatureVectorizerStep final : public Step {
 public:
  explicit FeatureVectorizerStep(const StepSpec& spec)
      : output_(spec.outputs[0].slot),
        batched_(spec.outputs[0].batched()),
        rows_(batched_ ? 1 : static_cast<size_t>(spec.outputs[0].type.shape[0])) {
    for (const Operand& input : spec.inputs) {
      pieces_.push_back({input.slot, input.elements() / std::max<size_t>(1, rows_)});
      columns_ += pieces_.back().width;
    }
  }

  RunStatus run(const Block& block) const noexcept override {
    const size_t rows = batched_ ? block.rows : rows_;
    float* begin = block.out<float>(output_);
    for (const Piece& piece : pieces_) {
      const T* in = block.in<T>(piece.slot);
      float* out = begin;
      for (size_t i = 0; i < rows; ++i, in += piece.width, out += columns_) {
        for (size_t j = 0; j < piece.width; ++j) out[j] = static_cast<float>(in[j]);
      }
      begin += piece.width;
    }
    return RunStatus::kOk;
  }

  std::string describe() const override {
    return "FeatureVectorizer " + std::to_string(pieces_.size()) + " inputs -> " + std::to_string(columns_);
  }

 private:
  struct Piece {
    size_t slot, width;
  };
  size_t output_;
  bool batched_;
  size_t rows_;  // of one item of the batch
  std::vector<Piece> pieces_;
  size_t columns_ = 0;
};

std::unique_ptr<Step> make_vectorizer(StepSpec& spec) {
  for (const Operand& input : spec.inputs) {
    if (input.dtype() != spec.inputs[0].dtype()) spec.view.fail("expected inputs of one type");
  }
  switch (spec.inputs[0].dtype()) {
    case DType::kFloat32: return std::make_unique<FeatureVectorizerStep<float>>(spec);
    case DType::kFloat64: return std::make_unique<FeatureVectorizerStep<double>>(spec);
    case DType::kInt64: return std::make_unique<FeatureVectorizerStep<int64_t>>(spec);
    case DType::kInt32: return std::make_unique<FeatureVectorizerStep<int32_t>>(spec);
    default: spec.view.fail("expected numbers");
  }
}

constexpr StepEntry kEntries[] = {{"ArrayFeatureExtractor", kMlDomain, make_extractor},
                                  {"FeatureVectorizer", kMlDomain, make_vectorizer}};

}  // namespace

std::span<const StepEntry> feature_columns_steps() { return kEntries; }

}  // namespace maas
