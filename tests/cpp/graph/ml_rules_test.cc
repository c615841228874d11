// The type and shape rules of the domain ai.onnx.ml, as a table.
#include "graph_cases.h"

namespace maas {
namespace {

void check_ml(std::vector<Case> cases) {
  for (Case& c : cases) c.domain = kMlDomain;
  check(cases);
}

TEST(MlRules, Features) {
  check_ml({
      {"Scaler", {{F64, {N, 2}}}, "float32 [N, 2]", {{"offset", Floats{1, 2}}, {"scale", Floats{1}}}},
      {"Scaler", {{S, {N, 2}}}, "FormatError [ai.onnx.ml.Scaler 'n'] expected X of type"},
      {"Scaler",
       {{F32, {N, 2}}},
       "FormatError [ai.onnx.ml.Scaler 'n'] expected attribute 'scale' of 2 values, got 3",
       {{"scale", Floats{1, 2, 3}}}},
      {"Binarizer", {{I64, {N, 2}}}, "int64 [N, 2]"},
      {"Normalizer", {{F64, {N, 2}}}, "float32 [N, 2]", {{"norm", std::string("L2")}}},
      {"Normalizer",
       {{F64, {N, 2}}},
       "FormatError [ai.onnx.ml.Normalizer 'n'] expected attribute 'norm' of MAX or L1 or L2, got L3",
       {{"norm", std::string("L3")}}},
      {"Normalizer",
       {{F32, {N}}},
       "FormatError [ai.onnx.ml.Normalizer 'n'] expected X of shape [N, F], got [N]"},
      {"Imputer", {{F32, {N, 2}}}, "float32 [N, 2]", {{"imputed_value_floats", Floats{1, 2}}}},
      {"Imputer",
       {{I64, {N, 2}}},
       "int64 [N, 2]",
       {{"imputed_value_int64s", Ints{1}}, {"imputed_value_floats", Floats{}}}},
      {"Imputer", {{F32, {N, 2}}}, "FormatError", {{"imputed_value_int64s", Ints{1}}}},
      {"Imputer",
       {{F32, {N, 2}}},
       "FormatError [ai.onnx.ml.Imputer 'n'] expected exactly one of the attributes "
       "'imputed_value_floats', 'imputed_value_int64s', got 0"},
      {"OneHotEncoder", {{S, {N, 1}}}, "float32 [N, 1, 2]", {{"cats_strings", Strings{"a", "b"}}}},
      {"OneHotEncoder", {{F32, {N}}}, "float32 [N, 3]", {{"cats_int64s", Ints{1, 2, 3}}}},
      {"OneHotEncoder", {{F32, {N}}}, "FormatError", {{"cats_strings", Strings{"a"}}}},
      {"FeatureVectorizer", {{I64, {N, 2}}, {I64, {N}}}, "float32 [N, 3]", {{"inputdimensions", Ints{2, 1}}}},
      {"FeatureVectorizer", {{I64, {N, 2}}}, "FormatError", {{"inputdimensions", Ints{3}}}},
      {"FeatureVectorizer", {{I64, {N, 2}}}, "FormatError", {{"inputdimensions", Ints{2, 1}}}},
      {"FeatureVectorizer", {{I64, {N, 2}}, {I64, {4, 2}}}, "FormatError"},
      {"ArrayFeatureExtractor", {{F32, {N, 5}}, ints({1, 2})}, "float32 [N, 2]"},
      {"ArrayFeatureExtractor", {{S, {3}}, ints({1, 2})}, "string [1, 2]"},
      {"ArrayFeatureExtractor", {{S, {1, 3}}, {I64, {N, 1}}}, "string [N]"},
      {"ArrayFeatureExtractor", {{F32, {N, 3}}, {I64, {N, 1}}}, "Unsupported"},
      {"ArrayFeatureExtractor", {{F32, {N}}, ints({1})}, "Unsupported"},
  });
}

TEST(MlRules, LabelEncoder) {
  check_ml({
      {"LabelEncoder",
       {{S, {N, 2}}},
       "int64 [N, 2]",
       {{"keys_strings", Strings{"a"}}, {"values_int64s", Ints{1}}, {"default_int64", int64_t{0}}}},
      {"LabelEncoder",
       {{F64, {N}}},
       "float64 [N]",
       {{"keys_tensor", Tensor::of<double>({1}, std::vector<double>{1}.data())},
        {"values_tensor", Tensor::of<double>({1}, std::vector<double>{1}.data())},
        {"default_tensor", Tensor::of<double>({1}, std::vector<double>{1}.data())}}},
      {"LabelEncoder",
       {{I64, {N}}},
       "FormatError [ai.onnx.ml.LabelEncoder 'n'] expected X of type string, got int64",
       {{"keys_strings", Strings{"a"}}, {"values_int64s", Ints{1}}}},
      {"LabelEncoder",
       {{S, {N}}},
       "FormatError [ai.onnx.ml.LabelEncoder 'n'] expected as many values as keys, got 2 and 1",
       {{"keys_strings", Strings{"a"}}, {"values_int64s", Ints{1, 2}}}},
      {"LabelEncoder", {{S, {N}}}, "FormatError", {{"keys_strings", Strings{"a"}}}},
      {"LabelEncoder",
       {{I64, {N}}},
       "FormatError",
       {{"keys_tensor", ints({1})}, {"values_strings", Strings{"a"}}, {"default_tensor", ints({1})}}},
      {"LabelEncoder",
       {{I64, {N}}},
       "FormatError [ai.onnx.ml.LabelEncoder 'n'] expected attribute 'keys_tensor' of one dimension",
       {{"keys_tensor", scalar(1)}, {"values_strings", Strings{"a"}}}},
  });
}

TEST(MlRules, Linear) {
  const Floats four = {1, 2, 3, 4};
  check_ml({
      {"LinearClassifier",
       {{F64, {N, 2}}},
       "int64 [N]; float32 [N, 2]",
       {{"coefficients", four}, {"classlabels_ints", Ints{0, 1}}, {"intercepts", Floats{0, 1}}},
       2},
      {"LinearClassifier",
       {{I64, {N, 4}}},
       "string [N]; float32 [N, 2]",
       {{"coefficients", four}, {"classlabels_strings", Strings{"a", "b"}}},
       2},
      {"LinearClassifier",
       {{F32, {4}}},
       "int64 [1]",
       {{"coefficients", four}, {"classlabels_ints", Ints{0}}}},
      {"LinearClassifier",
       {{F32, {N, 3}}},
       "FormatError [ai.onnx.ml.LinearClassifier 'n'] expected attribute 'coefficients' of 2 classes times 3 "
       "features, got 4",
       {{"coefficients", four}, {"classlabels_ints", Ints{0, 1}}},
       2},
      {"LinearClassifier",
       {{F32, {N, 2}}},
       "FormatError",
       {{"coefficients", four}, {"classlabels_ints", Ints{0, 1}}, {"intercepts", Floats{0}}},
       2},
      {"LinearClassifier", {{F32, {N, 2}}}, "FormatError", {{"coefficients", four}}, 2},
      {"LinearClassifier",
       {{F32, {N, 2}}},
       "FormatError",
       {{"coefficients", four}, {"classlabels_ints", Ints{0, 1}}, {"post_transform", std::string("CUBE")}},
       2},
      {"LinearRegressor",
       {{F32, {N, 2}}},
       "float32 [N, 2]",
       {{"coefficients", four}, {"targets", int64_t{2}}}},
      {"LinearRegressor",
       {{F32, {N, 4}}},
       "float32 [N, 1]",
       {{"coefficients", four}, {"intercepts", Floats{1}}}},
      {"LinearRegressor", {{F32, {N, 3}}}, "FormatError", {{"coefficients", four}}},
      {"LinearRegressor", {{F32, {N, 4}}}, "FormatError", {{"coefficients", four}, {"targets", int64_t{0}}}},
      {"LinearRegressor", {{F32, {N, 4}}}, "FormatError", {{"coefficients", four}, {"targets", INT64_MAX}}},
  });
}

}  // namespace
}  // namespace maas
