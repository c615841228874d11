#include <type_traits>

#include "maas/kernels/dense.h"
#include "maas/program/steps/families.h"
#include "maas/program/steps/post_transform.h"

namespace maas {

namespace {

constexpr size_t padded(size_t bytes) { return (bytes + kAlignment - 1) / kAlignment * kAlignment; }

// Rows times coefficients plus intercepts: in double where the features are double, else in float32, to
// which integers are rounded.
template <class In>
class LinearScores {
 public:
  using T = std::conditional_t<std::is_same_v<In, double>, double, float>;
  static constexpr bool kConverts = !std::is_same_v<In, T>;

  // `coefficients` lie output by output.
  LinearScores(const std::vector<float>& coefficients, const std::vector<float>& intercepts, size_t features,
               size_t outputs) {
    const std::vector<T> weights(coefficients.begin(), coefficients.end());
    const std::vector<T> bias(intercepts.begin(), intercepts.end());
    const MatrixView<T> view{weights.data(), features, outputs, 1, static_cast<ptrdiff_t>(features)};
    weights_ = PackedMatrix<T>(view);
    DenseSpec<T> spec;
    spec.weights = &weights_;
    spec.bias = bias.empty() ? nullptr : bias.data();
    layer_ = Dense<T>(spec);
  }

  size_t features() const { return weights_.rows(); }
  size_t outputs() const { return weights_.cols(); }
  size_t work_bytes(size_t rows) const { return kConverts ? padded(rows * features() * sizeof(T)) : 0; }

  void run(const In* x, size_t rows, T* scores, std::byte* work) const noexcept {
    if constexpr (kConverts) {
      T* converted = reinterpret_cast<T*>(work);
      for (size_t i = 0; i < rows * features(); ++i) converted[i] = static_cast<T>(x[i]);
      layer_.run(converted, rows, features(), scores, outputs(), nullptr);
    } else {
      layer_.run(x, rows, features(), scores, outputs(), nullptr);
    }
  }

 private:
  PackedMatrix<T> weights_;
  Dense<T> layer_;
};

// One row of a value: [N, F] or, where nothing is batched, [R, F] or [F].
size_t rows_of(const Operand& input, size_t features) {
  return input.elements() / std::max<size_t>(1, features);
}

template <class In>
class LinearRegressorStep final : public Step {
 public:
  using T = typename LinearScores<In>::T;

  LinearRegressorStep(StepSpec& spec, LinearScores<In> layer, PostTransform transform)
      : input_(spec.inputs[0].slot),
        output_(spec.outputs[0].slot),
        batched_(spec.inputs[0].batched()),
        rows_(rows_of(spec.inputs[0], layer.features())),
        layer_(std::move(layer)),
        transform_(transform) {
    const size_t most = rows_ * StepSpec::count(spec.inputs[0], spec.block_rows);
    scores_offset_ = layer_.work_bytes(most);
    spec.work_bytes = scores_offset_ + (kRounds ? padded(most * layer_.outputs() * sizeof(T)) : 0);
  }

  RunStatus run(const Block& block) const noexcept override {
    const size_t rows = rows_ * (batched_ ? block.rows : 1), outputs = layer_.outputs();
    float* out = block.out<float>(output_);
    T* scores;
    if constexpr (kRounds) {
      scores = reinterpret_cast<T*>(block.work + scores_offset_);
    } else {
      scores = out;
    }
    layer_.run(block.in<In>(input_), rows, scores, block.work);
    // One target: the standard's evaluators leave a softmax of a single score alone.
    if (outputs > 1 || transform_ == PostTransform::kLogistic || transform_ == PostTransform::kProbit) {
      transform_scores(transform_, scores, rows, outputs);
    }
    if constexpr (kRounds) {
      for (size_t i = 0; i < rows * outputs; ++i) out[i] = static_cast<float>(scores[i]);
    }
    return RunStatus::kOk;
  }

  std::string describe() const override {
    return "LinearRegressor " + std::to_string(layer_.features()) + " -> " +
           std::to_string(layer_.outputs()) + ", " + post_transform_name(transform_);
  }

 private:
  static constexpr bool kRounds = !std::is_same_v<T, float>;
  size_t input_, output_;
  bool batched_;
  size_t rows_;
  LinearScores<In> layer_;
  PostTransform transform_;
  size_t scores_offset_;
};

// Labels and scores of every class. With one row of coefficients for two classes the scores are [1 - s, s],
// or the two probabilities where the transform is LOGISTIC: what ONNX Runtime puts out. Labels follow the
// scores before the transform: the largest, the first of equals; of one score, the second class above zero.
template <class In>
class LinearClassifierStep final : public Step {
 public:
  using T = typename LinearScores<In>::T;

  LinearClassifierStep(StepSpec& spec, LinearScores<In> layer, PostTransform transform)
      : input_(spec.inputs[0].slot),
        labels_(spec.outputs[0]),
        batched_(spec.inputs[0].batched()),
        rows_(rows_of(spec.inputs[0], layer.features())),
        layer_(std::move(layer)),
        transform_(transform),
        texts_(spec.view.get_strings("classlabels_strings")),
        ints_(spec.view.get_ints("classlabels_ints")) {
    if (spec.outputs.size() > 1) scores_ = spec.outputs[1];
    text_views_.assign(texts_.begin(), texts_.end());
    const size_t most = rows_ * StepSpec::count(spec.inputs[0], spec.block_rows);
    raw_offset_ = layer_.work_bytes(most);
    wide_offset_ = raw_offset_ + (is_single() ? padded(most * sizeof(T)) : 0);
    spec.work_bytes = wide_offset_ + (in_place() ? 0 : padded(most * classes() * sizeof(T)));
  }

  RunStatus run(const Block& block) const noexcept override {
    const size_t rows = rows_ * (batched_ ? block.rows : 1), classes = this->classes();
    float* out = scores_.present ? block.out<float>(scores_.slot) : nullptr;
    T* scores = reinterpret_cast<T*>(block.work + wide_offset_);
    if constexpr (std::is_same_v<T, float>) {
      if (out != nullptr) scores = out;
    }
    T* raw = is_single() ? reinterpret_cast<T*>(block.work + raw_offset_) : scores;
    layer_.run(block.in<In>(input_), rows, raw, block.work);
    if (labels_.present) put_labels(block, raw, rows);
    if (out == nullptr) return RunStatus::kOk;
    if (is_single()) {
      put_pairs(raw, rows, scores);
    } else {
      transform_scores(transform_, scores, rows, classes);
    }
    if constexpr (!std::is_same_v<T, float>) {
      for (size_t i = 0; i < rows * classes; ++i) out[i] = static_cast<float>(scores[i]);
    }
    return RunStatus::kOk;
  }

  std::string describe() const override {
    return "LinearClassifier " + std::to_string(layer_.features()) + " -> " +
           std::to_string(layer_.outputs()) + ", " + post_transform_name(transform_);
  }

 private:
  bool is_single() const { return layer_.outputs() == 1; }
  size_t classes() const { return is_single() ? 2 : layer_.outputs(); }
  bool in_place() const { return std::is_same_v<T, float> && scores_.present; }

  template <class Label>
  void put_labels_of(const Label* labels, const T* raw, size_t rows, Label* out) const noexcept {
    const size_t outputs = layer_.outputs();
    if (outputs == 1) {
      for (size_t i = 0; i < rows; ++i) out[i] = labels[raw[i] > 0 ? 1 : 0];
      return;
    }
    for (size_t i = 0; i < rows; ++i, raw += outputs) {
      size_t best = 0;
      T top = raw[0];
      for (size_t j = 1; j < outputs; ++j) {  // without branches: which one wins cannot be foreseen
        const bool wins = (raw[j] > top) | ((raw[j] != raw[j]) & (top == top));
        best = wins ? j : best;
        top = wins ? raw[j] : top;
      }
      out[i] = labels[best];
    }
  }

  void put_labels(const Block& block, const T* raw, size_t rows) const noexcept {
    if (text_views_.empty()) {
      put_labels_of(ints_.data(), raw, rows, block.out<int64_t>(labels_.slot));
    } else {
      put_labels_of(text_views_.data(), raw, rows, block.out<std::string_view>(labels_.slot));
    }
  }

  void put_pairs(const T* raw, size_t rows, T* scores) const noexcept {
    const bool logistic = transform_ == PostTransform::kLogistic;
    for (size_t i = 0; i < rows; ++i) {
      scores[2 * i] = logistic ? -raw[i] : 1 - raw[i];
      scores[2 * i + 1] = raw[i];
    }
    if (logistic) transform_scores(transform_, scores, rows, 2);
  }

  size_t input_;
  Operand labels_, scores_;
  bool batched_;
  size_t rows_;
  LinearScores<In> layer_;
  PostTransform transform_;
  std::vector<std::string> texts_;
  std::vector<std::string_view> text_views_;
  std::vector<int64_t> ints_;
  size_t raw_offset_, wide_offset_;
};

template <class In>
LinearScores<In> read_layer(const StepSpec& spec, size_t outputs) {
  const std::vector<float> coefficients = spec.view.get_floats("coefficients");
  const std::vector<float> intercepts = spec.view.get_floats("intercepts");
  const Shape row = spec.inputs[0].row_shape();
  const size_t features = row.empty() ? 1 : static_cast<size_t>(row.back());
  if (outputs == 0 || coefficients.size() != outputs * features ||
      (!intercepts.empty() && intercepts.size() != outputs)) {
    spec.view.fail("expected " + std::to_string(features) + " coefficients for each of " +
                   std::to_string(outputs) + " outputs, and no intercepts or one for each; got " +
                   std::to_string(coefficients.size()) + " and " + std::to_string(intercepts.size()));
  }
  return LinearScores<In>(coefficients, intercepts, features, outputs);
}

template <class In>
std::unique_ptr<Step> make_regressor_of(StepSpec& spec) {
  const auto targets = static_cast<size_t>(std::max<int64_t>(0, spec.view.get_int("targets", 1)));
  return std::make_unique<LinearRegressorStep<In>>(spec, read_layer<In>(spec, targets),
                                                   read_post_transform(spec.view));
}

template <class In>
std::unique_ptr<Step> make_classifier_of(StepSpec& spec) {
  const NodeView& view = spec.view;
  const PostTransform transform = read_post_transform(view);
  const Shape row = spec.inputs[0].row_shape();
  const size_t features = row.empty() || row.back() < 1 ? 1 : static_cast<size_t>(row.back());
  const size_t outputs = view.get_floats("coefficients").size() / features;
  const size_t labels =
      view.get_strings("classlabels_strings").size() + view.get_ints("classlabels_ints").size();
  if (labels < std::max<size_t>(outputs, 2)) {
    view.fail("expected a label for each of " + std::to_string(std::max<size_t>(outputs, 2)) +
              " classes, got " + std::to_string(labels));
  }
  if (outputs == 1 && transform == PostTransform::kProbit) {
    view.unsupported("PROBIT with one row of coefficients for two classes");
  }
  return std::make_unique<LinearClassifierStep<In>>(spec, read_layer<In>(spec, outputs), transform);
}

std::unique_ptr<Step> make_regressor(StepSpec& spec) {
  switch (spec.inputs[0].dtype()) {
    case DType::kFloat32: return make_regressor_of<float>(spec);
    case DType::kFloat64: return make_regressor_of<double>(spec);
    case DType::kInt64: return make_regressor_of<int64_t>(spec);
    case DType::kInt32: return make_regressor_of<int32_t>(spec);
    default: spec.view.fail("expected numbers");
  }
}

std::unique_ptr<Step> make_classifier(StepSpec& spec) {
  switch (spec.inputs[0].dtype()) {
    case DType::kFloat32: return make_classifier_of<float>(spec);
    case DType::kFloat64: return make_classifier_of<double>(spec);
    case DType::kInt64: return make_classifier_of<int64_t>(spec);
    case DType::kInt32: return make_classifier_of<int32_t>(spec);
    default: spec.view.fail("expected numbers");
  }
}

constexpr StepEntry kEntries[] = {{"LinearClassifier", kMlDomain, make_classifier},
                                  {"LinearRegressor", kMlDomain, make_regressor}};

}  // namespace

std::span<const StepEntry> linear_model_steps() { return kEntries; }

}  // namespace maas
