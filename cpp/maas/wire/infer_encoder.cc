#include "maas/wire/infer_encoder.h"

#include <charconv>
#include <cmath>
#include <cstring>
#include <type_traits>

namespace maas::wire {

namespace {

constexpr size_t kLongestNumber = 32;  // -2.2250738585072014e-308 has 24

template <class T>
T value_at(const Tensor& tensor, size_t i) {  // at any alignment
  T value;
  std::memcpy(&value, static_cast<const std::byte*>(tensor.data) + i * sizeof(T), sizeof(T));
  return value;
}

// False where JSON has no way to say a value.
template <class T>
bool append_numbers(const Tensor& tensor, std::string& out) {
  for (size_t i = 0; i < tensor.count; ++i) {
    if (i > 0) out += ',';
    const T value = value_at<T>(tensor, i);
    if constexpr (std::is_floating_point_v<T>) {
      if (std::isnan(value)) {
        out += "null";
        continue;
      }
      if (std::isinf(value)) return false;
      if (value == 0 && std::signbit(value)) {
        out += "-0.0";  // "-0" is a whole number to some readers, which have no negative zero
        continue;
      }
    }
    char digits[kLongestNumber];
    const auto end = std::to_chars(digits, digits + kLongestNumber, value).ptr;
    out.append(digits, end);
  }
  return true;
}

bool append_values(const Tensor& tensor, std::string& out) {
  switch (tensor.type) {
    case DataType::kUint8: return append_numbers<uint8_t>(tensor, out);
    case DataType::kUint16: return append_numbers<uint16_t>(tensor, out);
    case DataType::kUint32: return append_numbers<uint32_t>(tensor, out);
    case DataType::kUint64: return append_numbers<uint64_t>(tensor, out);
    case DataType::kInt8: return append_numbers<int8_t>(tensor, out);
    case DataType::kInt16: return append_numbers<int16_t>(tensor, out);
    case DataType::kInt32: return append_numbers<int32_t>(tensor, out);
    case DataType::kInt64: return append_numbers<int64_t>(tensor, out);
    case DataType::kFloat32: return append_numbers<float>(tensor, out);
    case DataType::kFloat64: return append_numbers<double>(tensor, out);
    case DataType::kBool:
      for (size_t i = 0; i < tensor.count; ++i) {
        out += i > 0 ? "," : "";
        out += value_at<uint8_t>(tensor, i) != 0 ? "true" : "false";
      }
      return true;
    case DataType::kBytes:
      for (size_t i = 0; i < tensor.count; ++i) {
        out += i > 0 ? "," : "";
        append_json_text(value_at<std::string_view>(tensor, i), out);
      }
      return true;
    case DataType::kFloat16: break;
  }
  return false;
}

size_t binary_size(const Tensor& tensor) {
  if (tensor.type != DataType::kBytes) return tensor.count * item_size(tensor.type);
  size_t size = 0;
  for (size_t i = 0; i < tensor.count; ++i)
    size += sizeof(uint32_t) + value_at<std::string_view>(tensor, i).size();
  return size;
}

void append_binary(const Tensor& tensor, std::string& out) {
  if (tensor.type != DataType::kBytes) {
    if (tensor.count > 0) out.append(static_cast<const char*>(tensor.data), binary_size(tensor));
    return;
  }
  for (size_t i = 0; i < tensor.count; ++i) {
    const auto text = value_at<std::string_view>(tensor, i);
    const auto length = static_cast<uint32_t>(text.size());
    out.append(reinterpret_cast<const char*>(&length), sizeof(length));
    out += text;
  }
}

void append_field(const char* key, std::string_view text, std::string& out) {
  out += key;
  append_json_text(text, out);
}

bool append_output(const Tensor& tensor, bool binary, std::string& out) {
  append_field("{\"name\":", tensor.name, out);
  append_field(",\"datatype\":", data_type_name(tensor.type), out);
  out += ",\"shape\":[";
  for (size_t i = 0; i < tensor.rank; ++i) {
    if (i > 0) out += ',';
    out += std::to_string(tensor.shape[i]);
  }
  if (binary) {
    out += "],\"parameters\":{\"binary_data_size\":" + std::to_string(binary_size(tensor)) + "}}";
    return true;
  }
  out += "],\"data\":[";
  if (!append_values(tensor, out)) return false;
  out += "]}";
  return true;
}

}  // namespace

Status encode_answer(const Answer& answer, std::span<const bool> binary, std::string& out,
                     size_t& json_size) {
  const size_t start = out.size();
  append_field("{\"model_name\":", answer.model, out);
  if (!answer.version.empty()) append_field(",\"model_version\":", answer.version, out);
  if (!answer.id.empty()) append_field(",\"id\":", answer.id, out);
  out += ",\"outputs\":[";
  for (size_t i = 0; i < answer.outputs.size(); ++i) {
    if (i > 0) out += ',';
    if (append_output(answer.outputs[i], binary[i], out)) continue;
    out.resize(start);
    return {ErrorCode::kUnsupported, "output '" + std::string(answer.outputs[i].name) +
                                         "' holds an infinity, which JSON cannot say: ask for binary_data"};
  }
  out += "]}";
  json_size = out.size() - start;
  for (size_t i = 0; i < answer.outputs.size(); ++i) {
    if (binary[i]) append_binary(answer.outputs[i], out);
  }
  return {};
}

}  // namespace maas::wire
