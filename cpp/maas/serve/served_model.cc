#include "maas/serve/served_model.h"

#include <algorithm>
#include <atomic>
#include <cstring>
#include <utility>

#include "maas/base/error.h"
#include "maas/onnx/reader.h"
#include "maas/program/compile.h"
#include "maas/wire/infer_decoder.h"
#include "maas/wire/infer_encoder.h"
#include "maas/wire/shown.h"

namespace maas::serve {

namespace {

using wire::DataType;
using wire::Status;

void describe(const std::vector<Value>& values, std::string& out) {
  for (size_t i = 0; i < values.size(); ++i) {
    if (i > 0) out += ',';
    out += "{\"name\":";
    wire::append_json_text(values[i].name, out);
    out += ",\"datatype\":\"";
    out += wire::data_type_name(wire_type(values[i].type.dtype));
    out += "\",\"shape\":[";
    const Shape& shape = values[i].type.shape;
    for (size_t d = 0; d < shape.size(); ++d) {
      if (d > 0) out += ',';
      out += std::to_string(shape[d]);
    }
    out += "]}";
  }
}

// What clients need besides types: which output `predict` gives, and the names of columns. Parameters of the
// protocol are texts, numbers and bools, so a list travels as the text of its JSON.
std::string describe_parameters(const std::map<std::string, std::string>& known) {
  std::string out;
  for (const char* key : {metadata::kPredict, metadata::kPredictProba, metadata::kDecision, metadata::kLabels,
                          metadata::kFeatureNames}) {
    const auto found = known.find(key);
    if (found == known.end()) continue;
    out += !out.empty() ? "," : ",\"parameters\":{";
    wire::append_json_text(key, out);
    out += ':';
    wire::append_json_text(found->second, out);
  }
  if (!out.empty()) out += '}';
  return out;
}

// Integers of 8 and 16 bits and unsigned ones as int64, which no model's own type narrows.
template <class T>
bool widen_integers(wire::Tensor& tensor, wire::ValueRoom& room) {
  auto* out = static_cast<int64_t*>(room.take(tensor.count * sizeof(int64_t)));
  if (out == nullptr) return false;
  for (size_t i = 0; i < tensor.count; ++i) {
    T value;
    std::memcpy(&value, static_cast<const std::byte*>(tensor.data) + i * sizeof(T), sizeof(T));
    out[i] = static_cast<int64_t>(value);
  }
  tensor.data = out;
  tensor.type = DataType::kInt64;
  return true;
}

Status to_model_type(wire::Tensor& tensor, wire::ValueRoom& room, DType& dtype) {
  bool done = true;
  switch (tensor.type) {
    case DataType::kUint8: done = widen_integers<uint8_t>(tensor, room); break;
    case DataType::kUint16: done = widen_integers<uint16_t>(tensor, room); break;
    case DataType::kUint32: done = widen_integers<uint32_t>(tensor, room); break;
    case DataType::kInt8: done = widen_integers<int8_t>(tensor, room); break;
    case DataType::kInt16: done = widen_integers<int16_t>(tensor, room); break;
    default: break;
  }
  if (!done) return wire::invalid("expected fewer values");
  switch (tensor.type) {
    case DataType::kBool: dtype = DType::kBool; return {};
    case DataType::kInt32: dtype = DType::kInt32; return {};
    case DataType::kInt64: dtype = DType::kInt64; return {};
    case DataType::kFloat32: dtype = DType::kFloat32; return {};
    case DataType::kFloat64: dtype = DType::kFloat64; return {};
    case DataType::kBytes: dtype = DType::kString; return {};
    default: return {ErrorCode::kUnsupported, "expected another datatype than UINT64"};
  }
}

wire::Tensor as_tensor(const Value& value) {
  wire::Tensor tensor;
  tensor.name = value.name;
  tensor.type = wire_type(value.type.dtype);
  tensor.rank = static_cast<uint8_t>(value.type.shape.size());
  std::copy(value.type.shape.begin(), value.type.shape.end(), tensor.shape);
  tensor.count = elements(value.type.shape);
  return tensor;
}

uint64_t next_number() {
  static std::atomic<uint64_t> last{0};
  return ++last;
}

std::string wire_shape(const Shape& shape) {
  std::string out = "[";
  for (size_t d = 0; d < shape.size(); ++d) {
    if (d > 0) out += ", ";
    out += std::to_string(shape[d]);
  }
  return out += ']';
}

bool shape_fits(const Shape& shape, const wire::Tensor& tensor) {
  if (tensor.rank != shape.size()) return false;
  for (size_t d = is_batched(shape) ? 1 : 0; d < shape.size(); ++d) {
    if (tensor.shape[d] != shape[d]) return false;
  }
  return true;
}

}  // namespace

DataType wire_type(DType dtype) {
  switch (dtype) {
    case DType::kFloat32: return DataType::kFloat32;
    case DType::kFloat64: return DataType::kFloat64;
    case DType::kInt64: return DataType::kInt64;
    case DType::kInt32: return DataType::kInt32;
    case DType::kBool: return DataType::kBool;
    case DType::kString: return DataType::kBytes;
  }
  return DataType::kBytes;
}

ServedModel::ServedModel(std::string name, std::string version, std::string_view onnx)
    : ServedModel(std::move(name), std::move(version), read_onnx(onnx)) {}

ServedModel::ServedModel(std::string name, std::string version, Graph graph)
    : name_(std::move(name)),
      version_(std::move(version)),
      parameters_(describe_parameters(graph.metadata)),
      program_(compile(std::move(graph))),
      number_(next_number()) {
  for (const auto* values : {&program_.inputs(), &program_.outputs()}) {
    for (const Value& value : *values) {
      if (value.type.shape.size() <= wire::kMaxRank) continue;
      throw Error(ErrorCode::kUnsupported, "serve",
                  "expected values of at most " + std::to_string(wire::kMaxRank) + " dimensions, got '" +
                      value.name + "' of " + std::to_string(value.type.shape.size()));
    }
  }
  for (const Value& value : program_.outputs()) outputs_.push_back(as_tensor(value));
  described_ = "\"inputs\":[";
  describe(program_.inputs(), described_);
  described_ += "],\"outputs\":[";
  describe(program_.outputs(), described_);
  described_ += "]";
  described_ += parameters_;
}

Status ServedModel::bind(wire::Request& request, Binding& binding) const {
  binding.inputs.clear();
  binding.rows = 1;
  binding.exact = true;
  bool batched = false;
  for (const Value& input : program_.inputs()) {
    const auto named = [&](const wire::Tensor& each) { return each.name == input.name; };
    const auto found = std::find_if(request.inputs.begin(), request.inputs.end(), named);
    if (found == request.inputs.end()) return wire::invalid("expected an input '" + input.name + "'");
    if (Status status = bind_one(input, *found, request.room, binding); !status.ok()) return status;
    if (!is_batched(input.type.shape)) {
      binding.exact = false;  // what belongs to no row cannot be shared with another request
      continue;
    }
    const auto rows = static_cast<size_t>(found->shape[0]);
    if (batched && rows != binding.rows) {
      return wire::invalid("expected as many rows in every input, got " + std::to_string(binding.rows) +
                           " and " + std::to_string(rows));
    }
    binding.rows = rows;
    batched = true;
  }
  if (request.inputs.size() == program_.inputs().size()) return {};
  for (const wire::Tensor& tensor : request.inputs) {
    const auto named = [&](const Value& each) { return each.name == tensor.name; };
    if (std::none_of(program_.inputs().begin(), program_.inputs().end(), named)) {
      return wire::invalid("expected inputs that the model has, got " + wire::shown(tensor.name));
    }
  }
  return wire::invalid("expected each input once");
}

Status ServedModel::bind_one(const Value& input, wire::Tensor& tensor, wire::ValueRoom& room,
                             Binding& binding) const {
  const ValueType& type = input.type;
  if (!shape_fits(type.shape, tensor)) {
    return wire::invalid("expected input '" + input.name + "' of shape " + wire_shape(type.shape) + ", got " +
                         wire_shape({tensor.dims().begin(), tensor.dims().end()}));
  }
  InputArray array;
  const DataType sent = tensor.type;
  if (Status status = to_model_type(tensor, room, array.dtype); !status.ok()) return status;
  if (array.dtype != type.dtype && !widens(array.dtype, type.dtype)) {
    return wire::invalid("expected input '" + input.name + "' of " +
                         std::string(wire::data_type_name(wire_type(type.dtype))) + ", got " +
                         std::string(wire::data_type_name(sent)));
  }
  const size_t size = item_size(array.dtype);
  array.data = tensor.data;
  array.item_stride = static_cast<ptrdiff_t>(size);
  array.row_stride = static_cast<ptrdiff_t>(size * elements(type.shape));
  binding.exact = binding.exact && array.dtype == type.dtype;
  binding.inputs.push_back(array);
  return {};
}

Status ServedModel::take_raw(std::string_view bytes, wire::Request& request) const {
  const auto& inputs = program_.inputs();
  if (inputs.size() != 1) return wire::invalid("expected JSON: bytes alone are for models of one input");
  const ValueType& type = inputs[0].type;
  wire::Tensor tensor;
  tensor.name = inputs[0].name;
  tensor.type = wire_type(type.dtype);
  tensor.rank = static_cast<uint8_t>(type.shape.size());
  std::copy(type.shape.begin(), type.shape.end(), tensor.shape);
  const size_t item = wire::item_size(tensor.type);
  const size_t row = std::max<size_t>(1, item * elements(type.shape));
  if (item == 0) {
    tensor.shape[0] = 1;
    tensor.count = 1;
    if (elements(type.shape) != 1) return wire::invalid("expected JSON: bytes alone may be one text");
    if (Status status = decode_bytes_tensor(bytes, tensor, request.room); !status.ok()) return status;
  } else {
    if (bytes.size() % row != 0 || (!is_batched(type.shape) && bytes.size() != row)) {
      return wire::invalid("expected rows of " + std::to_string(row) + " bytes, got " +
                           std::to_string(bytes.size()));
    }
    if (is_batched(type.shape)) tensor.shape[0] = static_cast<int64_t>(bytes.size() / row);
    tensor.count = bytes.size() / item;
    tensor.data = bytes.data();
  }
  request.inputs.push_back(tensor);
  request.binary_output = true;
  return {};
}

Status ServedModel::choose(const wire::Request& request, std::vector<size_t>& outputs) const {
  outputs.clear();
  const auto& all = program_.outputs();
  if (request.outputs.empty()) {
    for (size_t i = 0; i < all.size(); ++i) outputs.push_back(i);
    return {};
  }
  for (const wire::WantedOutput& wanted : request.outputs) {
    const auto named = [&](const Value& each) { return each.name == wanted.name; };
    const auto found = std::find_if(all.begin(), all.end(), named);
    if (found == all.end()) {
      return wire::invalid("expected outputs that the model has, got " + wire::shown(wanted.name));
    }
    outputs.push_back(static_cast<size_t>(found - all.begin()));
  }
  return {};
}

void ServedModel::output(size_t i, size_t first, size_t rows, const void* data, wire::Tensor& tensor) const {
  const wire::Tensor& row = outputs_[i];
  tensor.name = row.name;
  tensor.type = row.type;
  tensor.rank = row.rank;
  std::copy_n(row.shape, row.rank, tensor.shape);
  tensor.count = row.count;
  tensor.data = data;
  const ValueType& type = program_.outputs()[i].type;
  if (!is_batched(type.shape)) return;
  tensor.data = static_cast<const std::byte*>(data) + first * row.count * item_size(type.dtype);
  tensor.shape[0] = static_cast<int64_t>(rows);
  tensor.count *= rows;
}

}  // namespace maas::serve
