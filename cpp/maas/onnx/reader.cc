#include "maas/onnx/reader.h"

#include <optional>

#include "maas/onnx/external_data.h"
#include "maas/onnx/fields.h"
#include "maas/onnx/message.h"
#include "maas/onnx/node_reader.h"
#include "maas/onnx/op_versions.h"
#include "maas/onnx/tensor_reader.h"
#include "maas/onnx/upgrade.h"

namespace maas {

namespace {

namespace f = onnx_field;

struct File {
  int64_t ir_version = 0;
  std::optional<std::string_view> graph;
  FileOperators operators;
  std::map<std::string, std::string> metadata;
};

void read_opset(std::string_view bytes, File& file, ReadContext& context) {
  std::string domain;
  int64_t version = 0;
  Message message(bytes, "OperatorSetIdProto");
  while (message.next()) {
    switch (message.field()) {
      case f::opset::kDomain: domain = context.name(message.get_bytes(), "a domain"); break;
      case f::opset::kVersion: version = message.get_int64(); break;
      default: message.skip();
    }
  }
  if (domain == "ai.onnx") domain.clear();
  const auto [import, is_new] = file.operators.opsets.emplace(domain, version);
  if (!is_new && import->second != version) {
    throw_format("onnx", "domain '" + domain + "' is imported with two opsets, " +
                             std::to_string(import->second) + " and " + std::to_string(version));
  }
}

void read_metadata(std::string_view bytes, File& file, ReadContext& context) {
  std::string key, value;
  Message message(bytes, "StringStringEntryProto");
  while (message.next()) {
    switch (message.field()) {
      case f::entry::kKey: key = context.name(message.get_bytes(), "a metadata key"); break;
      case f::entry::kValue: value = context.text(message.get_bytes(), "a metadata value"); break;
      default: message.skip();
    }
  }
  if (!file.metadata.emplace(key, std::move(value)).second) {
    throw_format("onnx", "metadata '" + key + "' is given twice");
  }
}

void read_function(std::string_view bytes, File& file, ReadContext& context) {
  std::string domain, name;
  Message message(bytes, "FunctionProto");
  while (message.next()) {
    switch (message.field()) {
      case f::function::kName: name = context.name(message.get_bytes(), "a function's name"); break;
      case f::function::kDomain: domain = context.name(message.get_bytes(), "a domain"); break;
      default: message.skip();
    }
  }
  if (domain == "ai.onnx") domain.clear();
  file.operators.functions.emplace(std::move(domain), std::move(name));
}

File read_file(std::string_view bytes, ReadContext& context) {
  File file;
  Message message(bytes, "ModelProto");
  while (message.next()) {
    switch (message.field()) {
      case f::model::kIrVersion: file.ir_version = message.get_int64(); break;
      case f::model::kOpsetImport: read_opset(message.get_bytes(), file, context); break;
      case f::model::kMetadata: read_metadata(message.get_bytes(), file, context); break;
      case f::model::kFunctions: read_function(message.get_bytes(), file, context); break;
      case f::model::kGraph:
        if (file.graph) throw_format("onnx", "the model has two graphs");
        file.graph = message.get_bytes();
        break;
      default: message.skip();
    }
  }
  if (!file.graph) throw_format("onnx", "the model has no graph");
  if (file.ir_version <= 0) throw_format("onnx", "the model has no ir_version");
  if (file.ir_version < kOldestIr || file.ir_version > kNewestIr) {
    throw_unsupported("onnx", "the model has ir_version " + std::to_string(file.ir_version) + "; expected " +
                                  std::to_string(kOldestIr) + " to " + std::to_string(kNewestIr));
  }
  if (file.operators.opsets.empty()) throw_format("onnx", "the model imports no opset");
  return file;
}

Value input_of(DeclaredValue&& input) {
  const std::string where = "input '" + input.name + "'";
  const Declared& declared = input.declared;
  if (declared.kind == Declared::kOther) {
    throw_unsupported(where, "is a sequence, map, optional or sparse tensor; expected a dense tensor");
  }
  if (declared.kind == Declared::kNone || declared.data_type == 0) throw_format(where, "has no type");
  const auto dtype = dtype_of_onnx(declared.data_type);
  if (!dtype) {
    throw_unsupported(where, "has type " + onnx_type_name(declared.data_type) +
                                 "; expected float32, float64, int64, int32, bool or string");
  }
  if (!declared.has_shape) {
    throw_unsupported(where, "has no shape; export the model with one, such as [None, number of columns]");
  }
  for (size_t axis = 1; axis < declared.shape.size(); ++axis) {
    if (declared.shape[axis] != Declared::kUnknown) continue;
    throw_unsupported(where, "has no fixed size of dimension " + std::to_string(axis) +
                                 "; only the first, the rows, may vary: export the model with fixed sizes");
  }
  static_assert(Declared::kUnknown == kBatch);
  return {std::move(input.name), {*dtype, declared.shape}};
}

struct FileGraph {
  Graph graph;
  std::vector<DeclaredValue> inputs, outputs;
};

void add_initializer(std::string_view bytes, Graph& graph, ReadContext& context) {
  NamedTensor named = read_tensor(bytes, "initializer", context);
  if (named.name.empty()) throw_format("onnx", "an initializer has no name");
  context.allow(1, 128);  // its place in the map
  if (!graph.initializers.emplace(named.name, std::move(named.tensor)).second) {
    throw_format("initializer '" + named.name + "'", "is given twice");
  }
}

FileGraph read_graph(std::string_view bytes, ReadContext& context) {
  FileGraph file;
  Message message(bytes, "GraphProto");
  while (message.next()) {
    switch (message.field()) {
      case f::graph::kNode:
        if (file.graph.nodes.size() == context.limits().nodes) {
          throw_unsupported("onnx",
                            "the model has more than " + std::to_string(context.limits().nodes) + " nodes");
        }
        file.graph.nodes.push_back(read_node(message.get_bytes(), context));
        break;
      case f::graph::kName: file.graph.name = context.name(message.get_bytes(), "the graph's name"); break;
      case f::graph::kInitializer: add_initializer(message.get_bytes(), file.graph, context); break;
      case f::graph::kInput: file.inputs.push_back(read_value(message.get_bytes(), context)); break;
      case f::graph::kOutput: file.outputs.push_back(read_value(message.get_bytes(), context)); break;
      case f::graph::kSparseInitializer: throw_unsupported("onnx", "the model has a sparse initializer");
      default: message.skip();
    }
  }
  for (const DeclaredValue& output : file.outputs) file.graph.outputs.push_back({output.name, {}});
  return file;
}

// An input with an initializer is a constant: files of before ir_version 4 list every one so.
void take_inputs(FileGraph& file) {
  for (DeclaredValue& input : file.inputs) {
    if (!file.graph.initializers.contains(input.name))
      file.graph.inputs.push_back(input_of(std::move(input)));
  }
}

// The graph's own types are what is run; a file that says otherwise of them is not to be trusted.
void compare_outputs(const FileGraph& file) {
  for (size_t i = 0; i < file.outputs.size(); ++i) {
    const Declared& declared = file.outputs[i].declared;
    if (declared.kind != Declared::kTensor || declared.data_type == 0) continue;
    const DType dtype = file.graph.outputs[i].type.dtype;
    if (declared.data_type == onnx_of_dtype(dtype)) continue;
    throw_format(
        "output '" + file.outputs[i].name + "'",
        "is declared " + onnx_type_name(declared.data_type) + " and computed as " + dtype_name(dtype));
  }
}

Graph read_model(std::string_view bytes, ReadContext context) {
  if (bytes.size() > context.limits().bytes) {
    throw_unsupported("onnx", "expected a model of at most " + std::to_string(context.limits().bytes) +
                                  " bytes, got " + std::to_string(bytes.size()));
  }
  try {
    const File parts = read_file(bytes, context);
    FileGraph file = read_graph(*parts.graph, context);
    file.graph.metadata = parts.metadata;
    // First: who exported a model with an operator that we lack need not mend its inputs.
    for (const Node& node : file.graph.nodes) operator_version(node, parts.operators);
    take_inputs(file);
    Upgrade upgrade(file.graph, parts.operators);
    upgrade.first_step();
    Checked checked = check_graph(file.graph);
    if (upgrade.has_second_step()) {
      upgrade.second_step(checked.types);
      check_graph(file.graph);
    }
    compare_outputs(file);
    return std::move(file.graph);
  } catch (const protozero::exception& error) {
    throw_format("onnx", std::string("the bytes are not a whole ONNX model: ") + error.what());
  }
}

}  // namespace

Graph read_onnx(std::string_view bytes, const ReadLimits& limits) {
  return read_model(bytes, ReadContext(limits, nullptr));
}

Graph read_onnx_file(const std::string& path, const ReadLimits& limits) {
  const std::string bytes = read_whole_file(path, limits.bytes);
  ExternalFolder folder(path);
  return read_model(bytes, ReadContext(limits, &folder));
}

}  // namespace maas
