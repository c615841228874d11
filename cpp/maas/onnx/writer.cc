#include "maas/onnx/writer.h"

#include <algorithm>
#include <protozero/pbf_writer.hpp>
#include <unordered_set>

#include "maas/onnx/fields.h"
#include "maas/onnx/read_context.h"
#include "maas/onnx/tensor_reader.h"

namespace maas {

namespace {

namespace f = onnx_field;
using protozero::pbf_writer;

constexpr int64_t kIrVersion = 10;  // the first with kOpset
constexpr const char* kProducer = "maas_engine";

// protobuf counts a message's bytes in 31 bits; the rest is for names and lengths.
constexpr size_t kMostBytes = (size_t{1} << 31) - (size_t{1} << 20);

size_t written_bytes(const Tensor& tensor) {
  if (tensor.dtype() != DType::kString) return tensor.size() * item_size(tensor.dtype());
  size_t bytes = 0;
  for (const std::string_view text : tensor.values<std::string_view>()) bytes += text.size() + 6;
  return bytes;
}

size_t estimated_bytes(const Graph& graph) {
  size_t bytes = 4096;
  for (const auto& [name, tensor] : graph.initializers) bytes += name.size() + 128 + written_bytes(tensor);
  for (const Node& node : graph.nodes) {
    bytes += 256;
    for (const auto& [name, value] : node.attributes) {
      if (const auto* tensor = std::get_if<Tensor>(&value)) bytes += written_bytes(*tensor);
      if (const auto* ints = std::get_if<std::vector<int64_t>>(&value)) bytes += 10 * ints->size();
      if (const auto* floats = std::get_if<std::vector<float>>(&value)) bytes += 4 * floats->size();
    }
  }
  return bytes;
}

void write_tensor(pbf_writer& to, const std::string& name, const Tensor& tensor) {
  to.add_packed_int64(f::tensor::kDims, tensor.shape().begin(), tensor.shape().end());
  to.add_int32(f::tensor::kDataType, onnx_of_dtype(tensor.dtype()));
  if (tensor.dtype() == DType::kString) {
    for (const std::string_view text : tensor.values<std::string_view>()) {
      to.add_bytes(f::tensor::kStringData, text.data(), text.size());
    }
  }
  if (!name.empty()) to.add_string(f::tensor::kName, name);
  if (tensor.dtype() != DType::kString) {
    to.add_bytes(f::tensor::kRawData, static_cast<const char*>(tensor.data()), written_bytes(tensor));
  }
}

struct AttributeWriter {
  pbf_writer& to;

  void type(f::AttributeType type) const { to.add_int32(f::attribute::kType, static_cast<int32_t>(type)); }
  void operator()(int64_t value) const {
    to.add_int64(f::attribute::kInt, value);
    type(f::AttributeType::kInt);
  }
  void operator()(float value) const {
    to.add_float(f::attribute::kFloat, value);
    type(f::AttributeType::kFloat);
  }
  void operator()(const std::string& value) const {
    to.add_bytes(f::attribute::kString, value);
    type(f::AttributeType::kString);
  }
  void operator()(const std::vector<int64_t>& values) const {
    for (const int64_t value : values) to.add_int64(f::attribute::kInts, value);  // proto2: not packed
    type(f::AttributeType::kInts);
  }
  void operator()(const std::vector<float>& values) const {
    for (const float value : values) to.add_float(f::attribute::kFloats, value);
    type(f::AttributeType::kFloats);
  }
  void operator()(const std::vector<std::string>& values) const {
    for (const std::string& value : values) to.add_bytes(f::attribute::kStrings, value);
    type(f::AttributeType::kStrings);
  }
  void operator()(const Tensor& value) const {
    {
      pbf_writer tensor(to, f::attribute::kTensor);
      write_tensor(tensor, "", value);
    }
    type(f::AttributeType::kTensor);
  }
};

// named: with its name.
void write_node(pbf_writer& to, const Node& node, bool named) {
  for (const std::string& name : node.inputs) to.add_string(f::node::kInput, name);
  for (const std::string& name : node.outputs) to.add_string(f::node::kOutput, name);
  if (named) to.add_string(f::node::kName, node.name);
  to.add_string(f::node::kOpType, node.op);
  for (const auto& [name, value] : node.attributes) {
    pbf_writer attribute(to, f::node::kAttribute);
    attribute.add_string(f::attribute::kName, name);
    std::visit(AttributeWriter{attribute}, value);
  }
  if (!node.domain.empty()) to.add_string(f::node::kDomain, node.domain);
}

void write_value(pbf_writer& to, const Value& value) {
  to.add_string(f::value::kName, value.name);
  pbf_writer type(to, f::value::kType);
  pbf_writer tensor(type, f::type::kTensor);
  tensor.add_int32(f::tensor_type::kElemType, onnx_of_dtype(value.type.dtype));
  if (value.type.shape.empty()) {  // an empty submessage would be left out
    tensor.add_message(f::tensor_type::kShape, std::string());
    return;
  }
  pbf_writer shape(tensor, f::tensor_type::kShape);
  for (const int64_t size : value.type.shape) {
    pbf_writer dim(shape, f::shape::kDim);
    if (size == kBatch) {
      dim.add_string(f::dimension::kParam, "N");
    } else {
      dim.add_int64(f::dimension::kValue, size);
    }
  }
}

void write_graph(pbf_writer& to, const Graph& graph) {
  std::unordered_set<std::string_view> names;  // other runtimes refuse a name given twice
  for (const Node& node : graph.nodes) {
    pbf_writer message(to, f::graph::kNode);
    write_node(message, node, !node.name.empty() && names.insert(node.name).second);
  }
  to.add_string(f::graph::kName, graph.name.empty() ? kProducer : graph.name);
  for (const auto& [name, tensor] : graph.initializers) {
    pbf_writer message(to, f::graph::kInitializer);
    write_tensor(message, name, tensor);
  }
  for (const Value& input : graph.inputs) {
    pbf_writer message(to, f::graph::kInput);
    write_value(message, input);
  }
  for (const Value& output : graph.outputs) {
    pbf_writer message(to, f::graph::kOutput);
    write_value(message, output);
  }
}

void write_opset(pbf_writer& to, const char* domain, int64_t version) {
  pbf_writer message(to, f::model::kOpsetImport);
  message.add_string(f::opset::kDomain, domain);
  message.add_int64(f::opset::kVersion, version);
}

}  // namespace

std::string write_onnx(const Graph& unchecked) {
  Graph graph = unchecked;  // constants are shared
  check_graph(graph);
  const size_t expected = estimated_bytes(graph);
  if (expected > kMostBytes) {
    throw_unsupported("onnx", "the model is about " + std::to_string(expected) +
                                  " bytes; expected less than the 2 GB that one ONNX file can hold");
  }
  std::string bytes;
  bytes.reserve(expected);
  pbf_writer to(bytes);
  to.add_int64(f::model::kIrVersion, kIrVersion);
  to.add_string(f::model::kProducerName, kProducer);
  to.add_string(f::model::kProducerVersion, MAAS_VERSION);
  {
    pbf_writer message(to, f::model::kGraph);
    write_graph(message, graph);
  }
  write_opset(to, "", kOpset);
  if (std::ranges::any_of(graph.nodes, [](const Node& node) { return node.domain == kMlDomain; })) {
    write_opset(to, kMlDomain, kMlOpset);
  }
  for (const auto& [key, value] : graph.metadata) {
    pbf_writer message(to, f::model::kMetadata);
    message.add_string(f::entry::kKey, key);
    message.add_string(f::entry::kValue, value);
  }
  return bytes;
}

}  // namespace maas
