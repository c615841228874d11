#include "maas/wire/json_tensor.h"

#include <charconv>
#include <cmath>
#include <cstring>
#include <limits>
#include <string>
#include <type_traits>

namespace maas::wire {

namespace {

namespace ondemand = simdjson::ondemand;

// Every read_value consumes one element, or says why not.
template <class T>
const char* read_value(ondemand::value value, T& out, ValueRoom&) {
  if constexpr (std::is_same_v<T, bool>) {
    return value.get_bool().get(out) ? "true or false" : nullptr;
  } else if constexpr (std::is_floating_point_v<T>) {
    double number;
    const std::string_view text = value.raw_json_token();
    if (const auto error = value.get_double().get(number); error == simdjson::SUCCESS) {
      // simdjson up to 3.6.2 misreads 0.x of more than 19 digits.
      if (text.size() > 21) std::from_chars(text.data(), text.data() + text.size(), number);
      out = static_cast<T>(number);
      return std::isinf(out) ? "numbers that the datatype can hold" : nullptr;
    }
    bool null = false;
    if (value.is_null().get(null) || !null) return "numbers, or null for what is missing";
    out = std::numeric_limits<T>::quiet_NaN();
    return nullptr;
  } else if constexpr (std::is_unsigned_v<T>) {
    uint64_t number;
    if (value.get_uint64().get(number) || number > std::numeric_limits<T>::max()) {
      return "whole numbers that the datatype can hold";
    }
    out = static_cast<T>(number);
    return nullptr;
  } else {
    int64_t number;
    if (value.get_int64().get(number) || number < std::numeric_limits<T>::min() ||
        number > std::numeric_limits<T>::max()) {
      return "whole numbers that the datatype can hold";
    }
    out = static_cast<T>(number);
    return nullptr;
  }
}

template <>
const char* read_value<std::string_view>(ondemand::value value, std::string_view& out, ValueRoom& room) {
  std::string_view text;
  if (value.get_string().get(text)) return "texts";
  auto* place =
      static_cast<char*>(room.take(text.size()));  // the parser's own memory goes with the next text
  if (place == nullptr) return "shorter texts";
  if (!text.empty()) std::memcpy(place, text.data(), text.size());
  out = {place, text.size()};
  return nullptr;
}

template <class T>
class Reader {
 public:
  Reader(const Tensor& tensor, T* out, ValueRoom& room) : tensor_(tensor), out_(out), room_(room) {}

  // A list at `level` of the nesting: of lists as long as the shape says, or of values.
  Status read(ondemand::array list, size_t level) {
    size_t values = 0, lists = 0;
    for (auto each : list) {
      ondemand::value value;
      if (each.get(value)) return wrong("well-formed JSON");
      ondemand::json_type type;
      if (value.type().get(type)) return wrong("well-formed JSON");
      if (type == ondemand::json_type::array) {
        if (++lists > room_at(level) || level + 1 >= tensor_.rank || values > 0) return unlike_shape();
        ondemand::array inner;
        if (value.get_array().get(inner)) return wrong("well-formed JSON");
        if (Status status = read(inner, level + 1); !status.ok()) return status;
        continue;
      }
      if (done_ == tensor_.count || lists > 0) return unlike_shape();
      if (const char* expected = read_value<T>(value, out_[done_], room_)) return wrong(expected);
      ++values, ++done_;
    }
    if (lists > 0) return lists == room_at(level) ? Status() : unlike_shape();
    const bool flat = level == 0 && values == tensor_.count;
    const bool innermost = level + 1 == tensor_.rank && values == room_at(level);
    const bool empty = values == 0 && tensor_.count == 0;
    return flat || innermost || empty ? Status() : unlike_shape();
  }

  bool complete() const { return done_ == tensor_.count; }
  Status unlike_shape() const {
    std::string shape;
    for (const int64_t dim : tensor_.dims()) shape += (shape.empty() ? "" : ", ") + std::to_string(dim);
    return invalid("expected " + std::to_string(tensor_.count) + " values, flat or nested as its shape [" +
                   shape + "]");
  }

 private:
  size_t room_at(size_t level) const {
    return level < tensor_.rank ? static_cast<size_t>(tensor_.shape[level]) : 0;
  }
  Status wrong(const char* expected) const {
    return invalid(std::string("expected ") + expected + " in 'data', at value " + std::to_string(done_));
  }

  const Tensor& tensor_;
  T* out_;
  ValueRoom& room_;
  size_t done_ = 0;
};

template <class T>
Status read_values(ondemand::array list, Tensor& tensor, ValueRoom& room) {
  auto* out = static_cast<T*>(room.take(tensor.count * sizeof(T)));
  if (out == nullptr) return invalid("expected fewer values");
  Reader<T> reader(tensor, out, room);
  if (Status status = reader.read(list, 0); !status.ok()) return status;
  if (!reader.complete()) return reader.unlike_shape();
  tensor.data = out;
  return {};
}

}  // namespace

Status read_json_tensor(ondemand::value data, Tensor& tensor, ValueRoom& room, size_t most) {
  ondemand::array list;
  if (data.get_array().get(list)) return invalid("expected a list in 'data'");
  if (tensor.count > most) return invalid("expected as many values as its shape says");
  switch (tensor.type) {
    case DataType::kBool: return read_values<bool>(list, tensor, room);
    case DataType::kUint8: return read_values<uint8_t>(list, tensor, room);
    case DataType::kUint16: return read_values<uint16_t>(list, tensor, room);
    case DataType::kUint32: return read_values<uint32_t>(list, tensor, room);
    case DataType::kUint64: return read_values<uint64_t>(list, tensor, room);
    case DataType::kInt8: return read_values<int8_t>(list, tensor, room);
    case DataType::kInt16: return read_values<int16_t>(list, tensor, room);
    case DataType::kInt32: return read_values<int32_t>(list, tensor, room);
    case DataType::kInt64: return read_values<int64_t>(list, tensor, room);
    case DataType::kFloat32: return read_values<float>(list, tensor, room);
    case DataType::kFloat64: return read_values<double>(list, tensor, room);
    case DataType::kBytes: return read_values<std::string_view>(list, tensor, room);
    case DataType::kFloat16: break;
  }
  return {ErrorCode::kUnsupported, "expected FP16 values as FP32"};
}

}  // namespace maas::wire
