// Operators of the domain ai.onnx.ml: linear models and the preparation of features.
#include <algorithm>

#include "maas/graph/rules.h"

namespace maas {

namespace {

// Rows and features of a classifier's X: [N, F], or one row [F].
struct RowsOfFeatures {
  int64_t rows, features;
};

RowsOfFeatures rows_of_features(const NodeView& view) {
  expect_type(view, 0, "X", kNumbers);
  const Shape& shape = view.input(0).shape;
  if (shape.size() == 2) return {shape[0], shape[1]};
  if (shape.size() == 1 && !is_batched(shape)) return {1, shape[0]};
  view.fail("expected X of shape [N, F], got " + shape_text(shape));
}

// Elements of the last axis, of which encoders and scalers have one value each or one for all.
int64_t features(const NodeView& view) {
  const Shape& shape = view.input(0).shape;
  if (shape.empty() || shape.back() == kBatch) return 1;
  return shape.back();
}

void expect_length(const NodeView& view, const char* attribute, size_t length, int64_t expected) {
  if (length == static_cast<size_t>(expected)) return;
  view.fail(std::string("expected attribute '") + attribute + "' of " + std::to_string(expected) +
            " values, got " + std::to_string(length));
}

void expect_one_or_features(const NodeView& view, const char* attribute, size_t length) {
  if (length != 1) expect_length(view, attribute, length, features(view));
}

void expect_choice(const NodeView& view, const char* attribute, const char* otherwise,
                   std::initializer_list<const char*> choices) {
  const std::string value = view.get_string(attribute, otherwise);
  std::string text;
  for (const char* choice : choices) {
    if (value == choice) return;
    text += (text.empty() ? "" : " or ") + std::string(choice);
  }
  view.fail(std::string("expected attribute '") + attribute + "' of " + text + ", got " + value);
}

void expect_post_transform(const NodeView& view) {
  expect_choice(view, "post_transform", "NONE", {"NONE", "SOFTMAX", "LOGISTIC", "SOFTMAX_ZERO", "PROBIT"});
}

OutputTypes array_feature_extractor(const NodeView& view) {
  expect_type(view, 0, "X", kNumbers | kStrings);
  expect_type(view, 1, "Y", type_set(DType::kInt64));
  const ValueType& x = view.input(0);
  const Shape& indices = view.input(1).shape;
  if (x.shape.empty()) view.fail("expected X of at least one dimension, got []");
  refuse_batch_axis(view, x.shape, x.shape.size() - 1, "choose among");
  if (is_batched(indices)) {
    // One entry of a table for each row. ONNX gives it the shape [1, N]; here rows are in front: [N].
    const bool table = product(x.shape, 0, x.shape.size() - 1) == 1 && !is_batched(x.shape);
    if (table && elements(indices) == 1) return {{x.dtype, {kBatch}}};
    view.unsupported("expected X of one row and Y of one index a row, got " + shape_text(x.shape) + " and " +
                     shape_text(indices));
  }
  Shape out = x.shape.size() == 1 ? Shape{1, 1} : x.shape;
  out.back() = static_cast<int64_t>(elements(indices));
  return {{x.dtype, out}};
}

OutputTypes binarizer(const NodeView& view) {
  expect_type(view, 0, "X", kNumbers);
  return {view.input(0)};
}

OutputTypes feature_vectorizer(const NodeView& view) {
  expect_type(view, 0, "X", kNumbers);
  expect_same_types(view);
  const auto dimensions = view.get_ints("inputdimensions");
  if (view.has("inputdimensions")) {
    expect_length(view, "inputdimensions", dimensions.size(), static_cast<int64_t>(view.inputs()));
  }
  const Shape& first = view.input(0).shape;
  const int64_t rows = first.empty() ? 1 : first[0];
  int64_t total = 0;
  for (size_t i = 0; i < view.inputs(); ++i) {
    const Shape& shape = view.input(i).shape;
    if (shape.empty() || shape.size() > 2 || shape[0] != rows) {
      view.fail("expected inputs of shape [N] or [N, F] with the same rows, got " + shape_text(first) +
                " and " + shape_text(shape));
    }
    const int64_t width = shape.size() == 2 ? shape[1] : 1;
    if (i < dimensions.size() && dimensions[i] != width) {
      view.fail("expected attribute 'inputdimensions' to hold the features of each input, " +
                std::to_string(width) + " of input " + std::to_string(i) + ", got " +
                std::to_string(dimensions[i]));
    }
    total += width;
  }
  return {{DType::kFloat32, {rows, total}}};
}

OutputTypes imputer(const NodeView& view) {
  expect_type(view, 0, "X", kNumbers);
  const std::string_view found = expect_one_of(view, {"imputed_value_floats", "imputed_value_int64s"});
  const bool floats = is_float(view.input(0).dtype);
  const char* attribute = floats ? "imputed_value_floats" : "imputed_value_int64s";
  if (found != attribute) {
    view.fail(std::string("expected attribute '") + attribute + "' for X of type " +
              dtype_name(view.input(0).dtype));
  }
  expect_one_or_features(view, attribute,
                         floats ? view.get_floats(attribute).size() : view.get_ints(attribute).size());
  return {view.input(0)};
}

OutputTypes linear_classifier(const NodeView& view) {
  const RowsOfFeatures x = rows_of_features(view);
  expect_post_transform(view);
  const std::string_view attribute = expect_one_of(view, {"classlabels_ints", "classlabels_strings"});
  const bool strings = attribute == "classlabels_strings";
  const size_t labels =
      strings ? view.get_strings("classlabels_strings").size() : view.get_ints("classlabels_ints").size();
  const auto coefficients = view.get_floats("coefficients"), intercepts = view.get_floats("intercepts");
  // A row of coefficients a class; one row may stand for two classes.
  const auto width = static_cast<size_t>(x.features);
  const bool one = labels == 2 && coefficients.size() == width;
  const size_t scores = one ? 1 : labels;
  if (labels == 0 || coefficients.size() / scores != width || coefficients.size() % scores != 0) {
    view.fail("expected attribute 'coefficients' of " + std::to_string(labels) + " classes times " +
              std::to_string(width) + " features, got " + std::to_string(coefficients.size()));
  }
  if (!intercepts.empty()) expect_length(view, "intercepts", intercepts.size(), static_cast<int64_t>(scores));
  return {{strings ? DType::kString : DType::kInt64, {x.rows}},
          {DType::kFloat32, {x.rows, static_cast<int64_t>(labels)}}};
}

OutputTypes linear_regressor(const NodeView& view) {
  const RowsOfFeatures x = rows_of_features(view);
  expect_post_transform(view);
  const int64_t targets = view.get_int("targets", 1);
  const auto intercepts = view.get_floats("intercepts");
  if (targets < 1 || targets > kMostElements) {
    view.fail("expected attribute 'targets' of at least 1, got " + std::to_string(targets));
  }
  expect_length(view, "coefficients", view.get_floats("coefficients").size(),
                product({targets, x.features}, 0, 2));
  if (!intercepts.empty()) expect_length(view, "intercepts", intercepts.size(), targets);
  return {{DType::kFloat32, {x.rows, targets}}};
}

OutputTypes normalizer(const NodeView& view) {
  rows_of_features(view);
  expect_choice(view, "norm", "MAX", {"MAX", "L1", "L2"});
  return {{DType::kFloat32, view.input(0).shape}};
}

OutputTypes one_hot_encoder(const NodeView& view) {
  expect_type(view, 0, "X", kNumbers | kStrings);
  const std::string_view attribute = expect_one_of(view, {"cats_int64s", "cats_strings"});
  const bool strings = attribute == "cats_strings";
  if (strings != (view.input(0).dtype == DType::kString)) {
    view.fail(std::string("expected X of type ") +
              (strings ? "string for cats_strings" : "numbers for cats_int64s") + ", got " +
              dtype_name(view.input(0).dtype));
  }
  const size_t categories =
      strings ? view.get_strings("cats_strings").size() : view.get_ints("cats_int64s").size();
  Shape out = view.input(0).shape;
  out.push_back(static_cast<int64_t>(categories));
  return {{DType::kFloat32, out}};
}

OutputTypes scaler(const NodeView& view) {
  expect_type(view, 0, "X", kNumbers);
  for (const char* attribute : {"offset", "scale"}) {
    if (given(view, attribute)) expect_one_or_features(view, attribute, view.get_floats(attribute).size());
  }
  return {{DType::kFloat32, view.input(0).shape}};
}

}  // namespace

std::span<const Op> ml_ops() {
  constexpr auto kInt = AttributeType::kInt;
  constexpr auto kInts = AttributeType::kInts;
  constexpr auto kFloat = AttributeType::kFloat;
  constexpr auto kFloatList = AttributeType::kFloats;
  constexpr auto kString = AttributeType::kString;
  constexpr auto kStringList = AttributeType::kStrings;
  static const Op ops[] = {
      {"ArrayFeatureExtractor", kMlDomain, 2, 2, 1, {}, array_feature_extractor},
      {"Binarizer", kMlDomain, 1, 1, 1, {{"threshold", kFloat}}, binarizer},
      {"FeatureVectorizer", kMlDomain, 1, kAnyNumber, 1, {{"inputdimensions", kInts}}, feature_vectorizer},
      {"Imputer",
       kMlDomain,
       1,
       1,
       1,
       {{"imputed_value_floats", kFloatList},
        {"imputed_value_int64s", kInts},
        {"replaced_value_float", kFloat},
        {"replaced_value_int64", kInt}},
       imputer},
      {"LabelEncoder",
       kMlDomain,
       1,
       1,
       1,
       {{"default_float", kFloat},
        {"default_int64", kInt},
        {"default_string", kString},
        {"default_tensor", AttributeType::kTensor},
        {"keys_floats", kFloatList},
        {"keys_int64s", kInts},
        {"keys_strings", kStringList},
        {"keys_tensor", AttributeType::kTensor},
        {"values_floats", kFloatList},
        {"values_int64s", kInts},
        {"values_strings", kStringList},
        {"values_tensor", AttributeType::kTensor}},
       label_encoder},
      {"LinearClassifier",
       kMlDomain,
       1,
       1,
       2,
       {{"classlabels_ints", kInts},
        {"classlabels_strings", kStringList},
        {"coefficients", kFloatList},
        {"intercepts", kFloatList},
        {"multi_class", kInt},
        {"post_transform", kString}},
       linear_classifier},
      {"LinearRegressor",
       kMlDomain,
       1,
       1,
       1,
       {{"coefficients", kFloatList},
        {"intercepts", kFloatList},
        {"post_transform", kString},
        {"targets", kInt}},
       linear_regressor},
      {"Normalizer", kMlDomain, 1, 1, 1, {{"norm", kString}}, normalizer},
      {"OneHotEncoder",
       kMlDomain,
       1,
       1,
       1,
       {{"cats_int64s", kInts}, {"cats_strings", kStringList}, {"zeros", kInt}},
       one_hot_encoder},
      {"Scaler", kMlDomain, 1, 1, 1, {{"offset", kFloatList}, {"scale", kFloatList}}, scaler},
  };
  return ops;
}

}  // namespace maas
