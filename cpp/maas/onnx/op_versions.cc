#include "maas/onnx/op_versions.h"

#include <algorithm>
#include <span>

#include "maas/graph/graph.h"

namespace maas {

namespace {

struct Entry {
  std::string_view op;
  int8_t since[10];  // versions, from the one that the oldest opset uses; then zeros
};

// Sorted by name. What changed for the engine is in upgrade.cc; the other versions added types or words.
constexpr Entry kMain[] = {
    {"Abs", {6, 13}},
    {"Add", {6, 7, 13, 14}},
    {"And", {1, 7}},
    {"ArgMax", {1, 11, 12, 13}},
    {"ArgMin", {1, 11, 12, 13}},
    {"BatchNormalization", {6, 7, 9, 14, 15}},
    {"Cast", {6, 9, 13, 19, 21, 23, 24, 25, 28}},
    {"Ceil", {6, 13}},
    {"Celu", {12, 28}},
    {"Clip", {6, 11, 12, 13}},
    {"Concat", {4, 11, 13}},
    {"Constant", {1, 9, 11, 12, 13, 19, 21, 23, 24, 25}},
    {"ConstantOfShape", {9, 20, 21, 23, 24, 25}},
    {"Div", {6, 7, 13, 14}},
    {"Dropout", {6, 7, 10, 12, 13, 22}},
    {"Elu", {6, 22}},
    {"Equal", {1, 7, 11, 13, 19}},
    {"Erf", {9, 13}},
    {"Exp", {6, 13}},
    {"Expand", {8, 13}},
    {"Flatten", {1, 9, 11, 13, 21, 23, 24, 25}},
    {"Floor", {6, 13}},
    {"Gather", {1, 11, 13}},
    {"GatherElements", {11, 13}},
    {"Gelu", {20}},
    {"Gemm", {6, 7, 9, 11, 13}},
    {"Greater", {1, 7, 9, 13}},
    {"GreaterOrEqual", {12, 16}},
    {"HardSigmoid", {6, 22}},
    {"HardSwish", {14, 22}},
    {"Identity", {1, 13, 14, 16, 19, 21, 23, 24, 25}},
    {"IsInf", {10, 20}},
    {"IsNaN", {9, 13, 20}},
    {"LayerNormalization", {17}},
    {"LeakyRelu", {6, 16}},
    {"Less", {1, 7, 9, 13}},
    {"LessOrEqual", {12, 16}},
    {"Log", {6, 13}},
    {"LogSoftmax", {1, 11, 13}},
    {"MatMul", {1, 9, 13}},
    {"Max", {6, 8, 12, 13}},
    {"Mean", {6, 8, 13}},
    {"Min", {6, 8, 12, 13}},
    {"Mish", {18, 22}},
    {"Mod", {10, 13, 28}},
    {"Mul", {6, 7, 13, 14}},
    {"Neg", {6, 13}},
    {"Not", {1}},
    {"Or", {1, 7}},
    {"PRelu", {6, 7, 9, 16}},
    {"Pow", {1, 7, 12, 13, 15}},
    {"Reciprocal", {6, 13}},
    {"ReduceL1", {1, 11, 13, 18}},
    {"ReduceL2", {1, 11, 13, 18}},
    {"ReduceLogSumExp", {1, 11, 13, 18, 28}},
    {"ReduceMax", {1, 11, 12, 13, 18, 20}},
    {"ReduceMean", {1, 11, 13, 18}},
    {"ReduceMin", {1, 11, 12, 13, 18, 20}},
    {"ReduceProd", {1, 11, 13, 18}},
    {"ReduceSum", {1, 11, 13}},
    {"ReduceSumSquare", {1, 11, 13, 18}},
    {"Relu", {6, 13, 14}},
    {"Reshape", {5, 13, 14, 19, 21, 23, 24, 25}},
    {"Round", {11, 22}},
    {"Selu", {6, 22}},
    {"Shape", {1, 13, 15, 19, 21, 23, 24, 25}},
    {"Sigmoid", {6, 13}},
    {"Sign", {9, 13}},
    {"Slice", {1, 10, 11, 13}},
    {"Softmax", {1, 11, 13}},
    {"Softplus", {1, 22}},
    {"Softsign", {1, 22}},
    {"Split", {2, 11, 13, 18}},
    {"Sqrt", {6, 13}},
    {"Squeeze", {1, 11, 13, 21, 23, 24, 25}},
    {"Sub", {6, 7, 13, 14}},
    {"Sum", {6, 8, 13}},
    {"Swish", {24}},
    {"Tanh", {6, 13}},
    {"ThresholdedRelu", {10, 22}},
    {"Tile", {6, 13}},
    {"Transpose", {1, 13, 21, 23, 24, 25}},
    {"Unsqueeze", {1, 11, 13, 21, 23, 24, 25}},
    {"Where", {9, 16}},
    {"Xor", {1, 7}},
};

constexpr Entry kMl[] = {
    {"ArrayFeatureExtractor", {1}},
    {"Binarizer", {1}},
    {"FeatureVectorizer", {1}},
    {"Imputer", {1}},
    {"LabelEncoder", {1, 2, 4}},
    {"LinearClassifier", {1}},
    {"LinearRegressor", {1}},
    {"Normalizer", {1}},
    {"OneHotEncoder", {1}},
    {"Scaler", {1}},
    {"ZipMap", {1}},
};

}  // namespace

OpVersion find_version(std::string_view domain, std::string_view op, int64_t opset) {
  const std::span<const Entry> table = domain == kMlDomain ? std::span<const Entry>(kMl) : kMain;
  const auto entry = std::ranges::lower_bound(table, op, {}, &Entry::op);
  if (entry == table.end() || entry->op != op) return {OpVersion::kUnknown, 0};
  int64_t since = 0;
  for (const int8_t version : entry->since) {
    if (version != 0 && version <= opset) since = version;
  }
  if (since == 0) return {OpVersion::kLater, entry->since[0]};
  return {OpVersion::kKnown, since};
}

}  // namespace maas
