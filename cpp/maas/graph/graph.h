// A model as plain data: nodes named and defined as ONNX operators of one opset. Built by estimators, by
// transformers, or read from a file; checked by check_graph, run by a Program (maas/program).
#pragma once

#include <map>
#include <string>
#include <unordered_map>
#include <variant>
#include <vector>

#include "maas/base/export.h"
#include "maas/graph/tensor.h"

namespace maas {

// The one vocabulary: readers lift or lower every node to these versions, writers write them.
inline constexpr int64_t kOpset = 21;   // domain ""
inline constexpr int64_t kMlOpset = 4;  // domain "ai.onnx.ml"
inline constexpr const char* kMlDomain = "ai.onnx.ml";

using Attribute = std::variant<int64_t, float, std::string, std::vector<int64_t>, std::vector<float>,
                               std::vector<std::string>, Tensor>;

struct Node {
  std::string op;  // "Gemm"
  std::string domain;
  std::string name;                  // may be empty
  std::vector<std::string> inputs;   // "" where an optional one is absent
  std::vector<std::string> outputs;  // likewise
  std::map<std::string, Attribute> attributes;
};

struct ValueType {
  DType dtype = DType::kFloat32;
  Shape shape;
};

struct Value {
  std::string name;
  ValueType type;
};

// Outputs' types are found by check_graph; what a file declares for them is only compared.
struct Graph {
  std::string name;
  std::vector<Value> inputs;
  std::vector<Value> outputs;
  std::map<std::string, Tensor> initializers;
  std::vector<Node> nodes;  // each after those it reads from
  std::map<std::string, std::string> metadata;
};

// Keys of Graph::metadata that the engine itself writes and reads. Values of graphs without them are found
// from the outputs' types (see python/maas_engine/model.py).
namespace metadata {
inline constexpr const char* kPredict = "maas_engine.predict";             // name of the value predict gives
inline constexpr const char* kPredictProba = "maas_engine.predict_proba";  // likewise
inline constexpr const char* kDecision =
    "maas_engine.decision_function";                              // likewise, may be inside the graph
inline constexpr const char* kLabels = "maas_engine.labels";      // JSON list of ints or strings
inline constexpr const char* kNumerics = "maas_engine.numerics";  // kNumerics when written
inline constexpr const char* kFeatureNames = "maas_engine.feature_names";  // JSON list of strings
}  // namespace metadata

using Types = std::unordered_map<std::string, ValueType>;

// "Gemm 'dense_1'", "ai.onnx.ml.Scaler 'scaled'": the operator and the node's name or, without one, its first
// output. What Error puts between brackets.
std::string node_text(const Node& node);

struct Checked {
  Types types;  // of every value, initializers included
  // Outputs of nodes that are the same in every run: few integers or bools computed from shapes and
  // initializers. kBatchValue stands where one is the number of rows; such values are only read as shapes, so
  // the nodes that make them need no step.
  std::unordered_map<std::string, Tensor> known;
};

// Whether a known value holds the number of rows.
bool mentions_batch(const Tensor& known);

// Checks the whole graph: names defined once and before use, known operators with the inputs and attributes
// they need, types and shapes that fit, outputs that exist, no row that depends on another. Drops inputs that
// only name an initializer's default, fills graph.outputs' types. Linear in the graph's size. Throws
// FormatError or Unsupported naming node, operator and domain.
MAAS_API Checked check_graph(Graph& graph);

}  // namespace maas
