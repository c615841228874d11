#include "maas/maas.h"

#include <algorithm>
#include <string_view>

namespace maas {

namespace {

constexpr const char* kMethods[] = {"predict", "predict_proba", "decision_function"};
constexpr const char* kRoleKeys[] = {metadata::kPredict, metadata::kPredictProba, metadata::kDecision};

// Labels, and a score a class: what a classifier of other tools puts out.
bool looks_like_classifier(const Graph& graph) {
  if (graph.outputs.size() < 2) return false;
  const ValueType &labels = graph.outputs[0].type, &scores = graph.outputs[1].type;
  return (is_integer(labels.dtype) || labels.dtype == DType::kString) && is_batched(labels.shape) &&
         elements(labels.shape) == 1 && is_float(scores.dtype) && is_batched(scores.shape) &&
         scores.shape.size() == 2;
}

bool has_value(const Graph& graph, const std::string& name) {
  const auto named = [&](const Value& value) { return value.name == name; };
  if (std::any_of(graph.inputs.begin(), graph.inputs.end(), named)) return true;
  if (graph.initializers.contains(name)) return true;
  return std::any_of(graph.nodes.begin(), graph.nodes.end(), [&](const Node& node) {
    return std::find(node.outputs.begin(), node.outputs.end(), name) != node.outputs.end();
  });
}

Program compile_for(Graph graph, const std::vector<std::string>& outputs) {
  CompileOptions options;
  for (const std::string& output : outputs) {
    std::string value = has_value(graph, output) ? output : role_value(graph, output);
    if (value.empty()) {
      throw Error(ErrorCode::kNotFound, "load_model",
                  "expected outputs among the values and methods of graph '" + graph.name + "', got '" +
                      output + "'");
    }
    options.outputs.push_back(std::move(value));
  }
  return compile(std::move(graph), options);
}

}  // namespace

std::string role_value(const Graph& graph, const std::string& method) {
  std::string values[3];
  for (size_t i = 0; i < 3; ++i) {
    const auto named = graph.metadata.find(kRoleKeys[i]);
    if (named != graph.metadata.end()) values[i] = named->second;
  }
  if (values[0].empty() && !graph.outputs.empty()) {  // as python/maas_engine/_schema.py has it
    values[0] = graph.outputs[0].name;
    if (values[1].empty() && values[2].empty() && looks_like_classifier(graph)) {
      values[1] = graph.outputs[1].name;
    }
  }
  const auto found = std::find(std::begin(kMethods), std::end(kMethods), method);
  return found == std::end(kMethods) ? "" : values[found - std::begin(kMethods)];
}

Program load_model(const std::string& path, const LoadOptions& options) {
  return compile_for(read_onnx_file(path, options.limits), options.outputs);
}

Program load_model(const void* bytes, size_t size, const LoadOptions& options) {
  const std::string_view whole(static_cast<const char*>(bytes), size);
  return compile_for(read_onnx(whole, options.limits), options.outputs);
}

}  // namespace maas
