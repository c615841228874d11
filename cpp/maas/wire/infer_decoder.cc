#include "maas/wire/infer_decoder.h"

#include <simdjson.h>

#include <cstring>
#include <limits>
#include <string>

#include "maas/wire/json_tensor.h"
#include "maas/wire/lifted_lists.h"
#include "maas/wire/number_list.h"
#include "maas/wire/shown.h"

namespace maas::wire {

namespace {

namespace ondemand = simdjson::ondemand;

constexpr size_t kMaxParameters = 256;  // keys of one object that is read
constexpr size_t kKeptCapacity =
    2 << 20;  // bytes of JSON; a parser for more, five times as large, is given back

Status not_json(simdjson::error_code error) {
  return invalid(std::string("expected a JSON object of the Open Inference Protocol: ") +
                 simdjson::error_message(error));
}

// A copy that holds as long as the request: the parser's own memory goes with the next text.
Status keep_text(simdjson::simdjson_result<std::string_view> text, ValueRoom& room, const char* what,
                 std::string_view& out) {
  std::string_view view;
  if (std::move(text).get(view) != simdjson::SUCCESS) return invalid(std::string("expected text in ") + what);
  auto* place = static_cast<char*>(room.take(view.size()));
  if (place == nullptr) return invalid(std::string("expected a shorter text in ") + what);
  if (!view.empty()) std::memcpy(place, view.data(), view.size());
  out = {place, view.size()};
  return {};
}

std::string place_of(const char* list, size_t index, std::string_view name) {
  std::string place = std::string(list) + "[" + std::to_string(index) + "]";
  return name.empty() ? place : place + " " + shown(name);
}

// What an entry of "inputs" says before its values are looked at.
struct InputHead {
  bool has_type = false, has_shape = false, has_data = false, has_binary = false;
  uint64_t binary_size = 0;
};

Status read_shape(ondemand::value value, Tensor& tensor) {
  ondemand::array dims;
  if (value.get_array().get(dims) != simdjson::SUCCESS) return invalid("expected a list in 'shape'");
  for (auto each : dims) {
    uint64_t dim;
    if (each.get_uint64().get(dim) != simdjson::SUCCESS ||
        dim > static_cast<uint64_t>(std::numeric_limits<int64_t>::max())) {
      return invalid("expected whole numbers of 0 or more in 'shape'");
    }
    if (tensor.rank == kMaxRank)
      return invalid("expected at most " + std::to_string(kMaxRank) + " dimensions");
    tensor.shape[tensor.rank++] = static_cast<int64_t>(dim);
  }
  return count_elements(tensor) ? Status() : invalid("expected a smaller 'shape'");
}

Status read_type(ondemand::value value, Tensor& tensor) {
  std::string_view name;
  if (value.get_string().get(name) != simdjson::SUCCESS) return invalid("expected text in 'datatype'");
  const auto type = find_data_type(name);
  if (!type || *type == DataType::kFloat16) {
    return {ErrorCode::kUnsupported,
            "expected a datatype of BOOL, UINT8 to UINT64, INT8 to INT64, FP32, FP64 or BYTES, got " +
                shown(name)};
  }
  tensor.type = *type;
  return {};
}

// Only binary_data_size counts here; a parameter that is not known is nothing to us.
Status read_input_parameters(ondemand::value value, InputHead& head) {
  ondemand::object object;
  if (value.get_object().get(object) != simdjson::SUCCESS)
    return invalid("expected an object in 'parameters'");
  for (auto field : object) {
    std::string_view key;
    if (field.unescaped_key().get(key) != simdjson::SUCCESS) return invalid("expected keys in 'parameters'");
    if (key != "binary_data_size") continue;
    if (field.value().get_uint64().get(head.binary_size) != simdjson::SUCCESS) {
      return invalid("expected a whole number of bytes in 'binary_data_size'");
    }
    head.has_binary = true;
  }
  return {};
}

}  // namespace

struct InferDecoder::Impl {
  ondemand::parser parser;
  LiftedLists lists;
  bool lifted = false;
  std::string_view binary;  // what is left of it

  Status decode(std::string_view body, size_t json_size, Request& request);
  Status decode_json(std::string_view json, size_t capacity, Request& request);
  Status read_root(ondemand::object root, Request& request);
  Status read_parameters(ondemand::value value, Request& request);
  Status read_inputs(ondemand::value value, Request& request);
  Status read_input(ondemand::object object, Request& request, Tensor& tensor);
  Status read_data(ondemand::value value, Request& request, Tensor& tensor);
  Status take_binary(const InputHead& head, Request& request, Tensor& tensor);
  Status read_outputs(ondemand::value value, Request& request);
  Status read_output(ondemand::object object, Request& request, WantedOutput& output);
};

InferDecoder::InferDecoder() : impl_(std::make_unique<Impl>()) {}
InferDecoder::~InferDecoder() = default;
InferDecoder::InferDecoder(InferDecoder&&) noexcept = default;
InferDecoder& InferDecoder::operator=(InferDecoder&&) noexcept = default;

Status InferDecoder::decode(std::string_view body, size_t json_size, Request& request) noexcept try {
  Status status = impl_->decode(body, json_size, request);
  if (impl_->parser.capacity() > kKeptCapacity) impl_->parser = ondemand::parser();
  return status;
} catch (const std::bad_alloc&) {
  return {ErrorCode::kOverloaded, "no memory for this request"};
} catch (const std::exception&) {
  return invalid("expected a JSON object of the Open Inference Protocol");
}

Status InferDecoder::Impl::decode(std::string_view body, size_t json_size, Request& request) {
  if (json_size > body.size()) {
    return invalid("expected Inference-Header-Content-Length of at most " + std::to_string(body.size()) +
                   ", the body's length, got " + std::to_string(json_size));
  }
  const std::string_view json = body.substr(0, json_size);
  binary = body.substr(json_size);
  lifted = lists.lift(json);
  if (lifted) {
    Status status = decode_json(lists.rest(), lists.capacity(), request);
    if (status.ok() && lists.all_read()) return status;
    // Whether this is refused, and why, is for the parser to say, which sees all of it.
    lifted = false;
    binary = body.substr(json_size);
    const auto [model, version] = std::pair(request.model, request.version);
    request.clear();
    request.model = model;
    request.version = version;
  }
  return decode_json(json, body.size() + kBodyPadding, request);
}

// `capacity`: bytes that can be read from the JSON's first one on.
Status InferDecoder::Impl::decode_json(std::string_view json, size_t capacity, Request& request) {
  ondemand::document document;
  const simdjson::padded_string_view text(json.data(), json.size(), capacity);
  if (const auto error = parser.iterate(text).get(document)) return not_json(error);
  ondemand::object root;
  if (const auto error = document.get_object().get(root)) return not_json(error);
  if (Status status = read_root(root, request); !status.ok()) return status;
  if (document.current_location().error() != simdjson::OUT_OF_BOUNDS) {
    return invalid("expected nothing after the JSON object");
  }
  if (request.inputs.empty()) return invalid("expected at least one entry in 'inputs'");
  if (!binary.empty()) {
    return invalid("expected binary_data_size of the inputs to add up to the bytes behind the JSON: " +
                   std::to_string(binary.size()) + " are left over");
  }
  return {};
}

Status InferDecoder::Impl::read_root(ondemand::object root, Request& request) {
  bool inputs = false, outputs = false;
  for (auto field : root) {
    std::string_view key;
    if (const auto error = field.unescaped_key().get(key)) return not_json(error);
    Status status;
    if (key == "id") {
      status = keep_text(field.value().get_string(), request.room, "'id'", request.id);
    } else if (key == "parameters") {
      status = read_parameters(field.value(), request);
    } else if (key == "inputs") {
      status = inputs ? invalid("expected 'inputs' once") : read_inputs(field.value(), request);
      inputs = true;
    } else if (key == "outputs") {
      status = outputs ? invalid("expected 'outputs' once") : read_outputs(field.value(), request);
      outputs = true;
    } else if (const auto error = field.error()) {
      status = not_json(error);
    }
    if (!status.ok()) return status;
  }
  return inputs ? Status() : invalid("expected a list 'inputs'");
}

Status InferDecoder::Impl::read_parameters(ondemand::value value, Request& request) {
  ondemand::object object;
  if (value.get_object().get(object) != simdjson::SUCCESS)
    return invalid("expected an object in 'parameters'");
  size_t keys = 0;
  for (auto field : object) {
    std::string_view key;
    if (const auto error = field.unescaped_key().get(key)) return not_json(error);
    if (++keys > kMaxParameters) return invalid("expected fewer 'parameters'");
    if (key == "binary_data_output") {
      if (field.value().get_bool().get(request.binary_output) != simdjson::SUCCESS) {
        return invalid("expected true or false in 'binary_data_output'");
      }
    } else if (key == "timeout") {  // Triton's: microseconds
      if (field.value().get_uint64().get(request.timeout_us) != simdjson::SUCCESS) {
        return invalid("expected a whole number of microseconds in 'timeout'");
      }
    }
  }
  return {};
}

Status InferDecoder::Impl::read_inputs(ondemand::value value, Request& request) {
  ondemand::array list;
  if (value.get_array().get(list) != simdjson::SUCCESS) return invalid("expected a list 'inputs'");
  for (auto each : list) {
    const size_t index = request.inputs.size();
    if (index == kMaxTensors) return invalid("expected fewer 'inputs'");
    ondemand::object object;
    if (each.get_object().get(object) != simdjson::SUCCESS) {
      return invalid("expected an object in " + place_of("inputs", index, ""));
    }
    Tensor tensor;
    const Status status = read_input(object, request, tensor);
    if (!status.ok()) return {status.code(), place_of("inputs", index, tensor.name) + ": " + status.text()};
    request.inputs.push_back(tensor);
  }
  return {};
}

Status InferDecoder::Impl::read_input(ondemand::object object, Request& request, Tensor& tensor) {
  InputHead head;
  bool early = false;  // the values came before what they are
  for (auto field : object) {
    std::string_view key;
    if (const auto error = field.unescaped_key().get(key)) return not_json(error);
    Status status;
    if (key == "name") {
      status = keep_text(field.value().get_string(), request.room, "'name'", tensor.name);
    } else if (key == "shape" && !head.has_shape) {
      status = read_shape(field.value(), tensor);
      head.has_shape = true;
    } else if (key == "datatype" && !head.has_type) {
      status = read_type(field.value(), tensor);
      head.has_type = true;
    } else if (key == "parameters") {
      status = read_input_parameters(field.value(), head);
    } else if (key == "data" && !head.has_data) {
      early = !head.has_type || !head.has_shape;
      head.has_data = true;
      if (!early) status = read_data(field.value(), request, tensor);
    } else if (key == "shape" || key == "datatype" || key == "data") {
      status = invalid("expected " + shown(key) + " once");
    }
    if (!status.ok()) return status;
  }
  if (tensor.name.empty()) return invalid("expected a 'name'");
  if (!head.has_shape || !head.has_type) return invalid("expected 'shape' and 'datatype'");
  if (head.has_binary && head.has_data) return invalid("expected either 'data' or 'binary_data_size'");
  if (head.has_binary) return take_binary(head, request, tensor);
  if (!head.has_data) return invalid("expected 'data', or binary values and their 'binary_data_size'");
  if (!early) return {};
  ondemand::value data;
  if (object.reset().error() || object.find_field("data").get(data)) return invalid("expected 'data'");
  return read_data(data, request, tensor);
}

Status InferDecoder::Impl::read_data(ondemand::value value, Request& request, Tensor& tensor) {
  const std::string_view list = lifted ? lists.take(value.raw_json_token().data()) : std::string_view();
  if (list.empty()) return read_json_tensor(value, tensor, request.room, parser.capacity());
  if (tensor.count > list.size()) return invalid("expected as many values as its shape says");
  void* out = request.room.take(tensor.count * item_size(tensor.type));
  if (out == nullptr) return invalid("expected fewer values");
  if (!read_number_list(list, tensor, out)) return invalid("expected numbers in 'data'");
  tensor.data = out;
  return {};
}

Status InferDecoder::Impl::take_binary(const InputHead& head, Request& request, Tensor& tensor) {
  if (head.binary_size > binary.size()) {
    return invalid("expected " + std::to_string(head.binary_size) + " bytes behind the JSON, got " +
                   std::to_string(binary.size()));
  }
  const std::string_view bytes = binary.substr(0, head.binary_size);
  binary.remove_prefix(head.binary_size);
  if (tensor.type == DataType::kBytes) return decode_bytes_tensor(bytes, tensor, request.room);
  const size_t item = item_size(tensor.type);
  if (bytes.size() / item != tensor.count || bytes.size() % item != 0) {
    return invalid("expected " + std::to_string(tensor.count) + " values of " + std::to_string(item) +
                   " bytes for its shape, got " + std::to_string(bytes.size()) + " bytes");
  }
  if (tensor.type == DataType::kBool) {
    for (const char each : bytes) {
      if (each != 0 && each != 1) return invalid("expected bytes of 0 or 1");
    }
  }
  tensor.data = bytes.data();
  return {};
}

Status InferDecoder::Impl::read_outputs(ondemand::value value, Request& request) {
  ondemand::array list;
  if (value.get_array().get(list) != simdjson::SUCCESS) return invalid("expected a list 'outputs'");
  for (auto each : list) {
    const size_t index = request.outputs.size();
    if (index == kMaxTensors) return invalid("expected fewer 'outputs'");
    ondemand::object object;
    if (each.get_object().get(object) != simdjson::SUCCESS) {
      return invalid("expected an object in " + place_of("outputs", index, ""));
    }
    WantedOutput output;
    const Status status = read_output(object, request, output);
    if (!status.ok()) return {status.code(), place_of("outputs", index, output.name) + ": " + status.text()};
    request.outputs.push_back(output);
  }
  return {};
}

Status InferDecoder::Impl::read_output(ondemand::object object, Request& request, WantedOutput& output) {
  for (auto field : object) {
    std::string_view key;
    if (const auto error = field.unescaped_key().get(key)) return not_json(error);
    if (key == "name") {
      if (Status status = keep_text(field.value().get_string(), request.room, "'name'", output.name);
          !status.ok()) {
        return status;
      }
    } else if (key == "parameters") {
      ondemand::object parameters;
      if (field.value().get_object().get(parameters)) return invalid("expected an object in 'parameters'");
      for (auto parameter : parameters) {
        std::string_view name;
        if (const auto error = parameter.unescaped_key().get(name)) return not_json(error);
        bool as_binary;
        if (name != "binary_data") continue;
        if (parameter.value().get_bool().get(as_binary))
          return invalid("expected true or false in 'binary_data'");
        output.binary = as_binary;
      }
    }
  }
  return output.name.empty() ? invalid("expected a 'name'") : Status();
}

}  // namespace maas::wire
