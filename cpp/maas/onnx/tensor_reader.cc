#include "maas/onnx/tensor_reader.h"

#include <charconv>
#include <vector>

#include "maas/onnx/external_data.h"
#include "maas/onnx/fields.h"
#include "maas/onnx/message.h"

namespace maas {

namespace {

namespace f = onnx_field;

// One tensor's message. Typed data stay in it until their number has been compared with the shape.
struct Parts {
  std::string_view bytes;
  std::string where;
  Shape dims;
  int32_t data_type = 0;
  std::string name;
  std::string_view raw;
  size_t floats = 0, int32s = 0, int64s = 0, doubles = 0, strings = 0, others = 0;
  bool external = false;
  std::string location;
  uint64_t offset = 0;
  std::optional<uint64_t> length;

  size_t typed() const { return floats + int32s + int64s + doubles + strings + others; }
};

uint64_t decimal(std::string_view text, const Parts& parts) {
  uint64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size() || number > uint64_t{1} << 62) {
    throw_format(parts.where,
                 "external data's offset or length '" + std::string(text) + "' is not a number of bytes");
  }
  return number;
}

void read_external_entry(std::string_view bytes, Parts& parts, ReadContext& context) {
  std::string_view key, value;
  Message message(bytes, "StringStringEntryProto");
  while (message.next()) {
    switch (message.field()) {
      case f::entry::kKey: key = message.get_bytes(); break;
      case f::entry::kValue: value = message.get_bytes(); break;
      default: message.skip();
    }
  }
  if (key == "location") parts.location = context.name(value, "an external data location");
  if (key == "offset") parts.offset = decimal(value, parts);
  if (key == "length") parts.length = decimal(value, parts);
}

void add_dim(int64_t dim, Parts& parts, const ReadContext& context) {
  if (dim < 0) throw_format(parts.where, "has a negative dimension, " + std::to_string(dim));
  if (parts.dims.size() == context.limits().rank) {
    throw_unsupported(parts.where, "has more than " + std::to_string(parts.dims.size()) + " dimensions");
  }
  parts.dims.push_back(dim);
}

void read_part(Message& message, Parts& parts, ReadContext& context) {
  switch (message.field()) {
    case f::tensor::kDims:
      message.numbers<int64_t>([&](int64_t dim) { add_dim(dim, parts, context); });
      break;
    case f::tensor::kDataType: parts.data_type = message.get_int32(); break;
    case f::tensor::kSegment: throw_unsupported(parts.where, "is stored in segments");
    case f::tensor::kFloatData: parts.floats += message.count_numbers<float>(); break;
    case f::tensor::kInt32Data: parts.int32s += message.count_numbers<int32_t>(); break;
    case f::tensor::kStringData: message.skip(), ++parts.strings; break;
    case f::tensor::kInt64Data: parts.int64s += message.count_numbers<int64_t>(); break;
    case f::tensor::kRawData: parts.raw = message.get_bytes(); break;
    case f::tensor::kDoubleData: parts.doubles += message.count_numbers<double>(); break;
    case f::tensor::kUint64Data: parts.others += message.count_numbers<int64_t>(); break;
    case f::tensor::kExternal: read_external_entry(message.get_bytes(), parts, context); break;
    case f::tensor::kDataLocation: parts.external = message.get_int32() == 1; break;
    default: message.skip();
  }
}

// The name first, wherever it stands: all messages carry it.
void read_name(Parts& parts, ReadContext& context) {
  Message message(parts.bytes, "TensorProto");
  while (message.next()) {
    if (message.field() == f::tensor::kName) {
      parts.name = context.name(message.get_bytes(), "a tensor's name");
    } else {
      message.skip();
    }
  }
  if (!parts.name.empty()) parts.where += " '" + parts.name + "'";
}

// Values of T from the fields of that number.
template <class T, class Wire>
std::vector<T> typed_values(const Parts& parts, uint32_t field, size_t count) {
  std::vector<T> values;
  values.reserve(count);
  Message message(parts.bytes, "TensorProto");
  while (message.next()) {
    if (message.field() != field) {
      message.skip();
      continue;
    }
    message.numbers<Wire>([&](Wire value) {
      if constexpr (std::is_same_v<T, char>) {  // bool
        if (value != 0 && value != 1) throw_format(parts.where, "holds a bool that is neither 0 nor 1");
      }
      if (values.size() < count) values.push_back(static_cast<T>(value));
    });
  }
  return values;
}

template <class T, class Wire = T>
Tensor typed_tensor(const Parts& parts, DType dtype, uint32_t field, size_t count) {
  const auto values = typed_values<T, Wire>(parts, field, count);
  return Tensor::of_bytes(dtype, parts.dims,
                          {reinterpret_cast<const char*>(values.data()), values.size() * sizeof(T)});
}

Tensor string_tensor(const Parts& parts, size_t count, ReadContext& context) {
  std::vector<std::string> values;
  values.reserve(count);
  Message message(parts.bytes, "TensorProto");
  while (message.next()) {
    if (message.field() == f::tensor::kStringData) {
      values.push_back(context.text(message.get_bytes(), parts.where));
    } else {
      message.skip();
    }
  }
  return Tensor::of_strings(parts.dims, std::move(values));
}

void check_typed(const Parts& parts, size_t of_the_type, size_t count, const char* field) {
  if (parts.typed() != of_the_type) throw_format(parts.where, "holds data of another type than its own");
  if (of_the_type != count) {
    throw_format(parts.where, "has shape " + shape_text(parts.dims) + ", so expected " +
                                  std::to_string(count) + " values in " + field + ", got " +
                                  std::to_string(of_the_type));
  }
}

Tensor raw_tensor(const Parts& parts, DType dtype, std::string_view bytes, size_t expected) {
  if (bytes.size() != expected) {
    throw_format(parts.where, "is " + std::string(dtype_name(dtype)) + " " + shape_text(parts.dims) +
                                  ", so expected " + std::to_string(expected) + " bytes of raw data, got " +
                                  std::to_string(bytes.size()));
  }
  if (dtype == DType::kBool) {
    for (const char byte : bytes) {
      if (byte != 0 && byte != 1) throw_format(parts.where, "holds a bool that is neither 0 nor 1");
    }
  }
  return Tensor::of_bytes(dtype, parts.dims, bytes);
}

Tensor external_tensor(const Parts& parts, DType dtype, size_t expected, ReadContext& context) {
  if (dtype == DType::kString) throw_format(parts.where, "keeps strings as external data");
  if (context.folder() == nullptr) {
    throw_unsupported(parts.where, "is external data '" + parts.location +
                                       "', which is read only when the model is read from a file beside it");
  }
  const uint64_t size = context.folder()->open(parts.location, parts.where);
  const uint64_t length = parts.length.value_or(size - std::min(size, parts.offset));
  if (parts.offset > size || length > size - parts.offset) {
    throw_format(parts.where, "expected " + std::to_string(length) + " bytes at " +
                                  std::to_string(parts.offset) + " of external data '" + parts.location +
                                  "', which has " + std::to_string(size));
  }
  if (length != expected) {
    throw_format(parts.where, "is " + std::string(dtype_name(dtype)) + " " + shape_text(parts.dims) +
                                  ", so expected " + std::to_string(expected) +
                                  " bytes of external data, got " + std::to_string(length));
  }
  context.allow(1, expected);
  return raw_tensor(parts, dtype, context.folder()->read(parts.offset, length, parts.where), expected);
}

Tensor tensor_of(const Parts& parts, DType dtype, ReadContext& context) {
  const auto count = checked_elements(parts.dims);
  size_t bytes = 0;
  if (!count || __builtin_mul_overflow(static_cast<size_t>(*count), item_size(dtype), &bytes)) {
    throw_format(parts.where, "has shape " + shape_text(parts.dims) + ", more than memory can hold");
  }
  if (parts.external) {
    if (!parts.raw.empty() || parts.typed() > 0) throw_format(parts.where, "has both external and own data");
    return external_tensor(parts, dtype, bytes, context);
  }
  if (dtype != DType::kString && parts.typed() == 0) {
    context.allow(1, parts.raw.size());
    return raw_tensor(parts, dtype, parts.raw, bytes);
  }
  if (!parts.raw.empty()) throw_format(parts.where, "has both raw and typed data");
  const auto n = static_cast<size_t>(*count);
  switch (dtype) {
    case DType::kFloat32: check_typed(parts, parts.floats, n, "float_data"); break;
    case DType::kFloat64: check_typed(parts, parts.doubles, n, "double_data"); break;
    case DType::kInt64: check_typed(parts, parts.int64s, n, "int64_data"); break;
    case DType::kInt32: check_typed(parts, parts.int32s, n, "int32_data"); break;
    case DType::kBool: check_typed(parts, parts.int32s, n, "int32_data"); break;
    case DType::kString: check_typed(parts, parts.strings, n, "string_data"); break;
  }
  context.allow(n, item_size(dtype));
  switch (dtype) {
    case DType::kFloat32: return typed_tensor<float>(parts, dtype, f::tensor::kFloatData, n);
    case DType::kFloat64: return typed_tensor<double>(parts, dtype, f::tensor::kDoubleData, n);
    case DType::kInt64: return typed_tensor<int64_t>(parts, dtype, f::tensor::kInt64Data, n);
    case DType::kInt32: return typed_tensor<int32_t>(parts, dtype, f::tensor::kInt32Data, n);
    case DType::kBool: return typed_tensor<char, int32_t>(parts, dtype, f::tensor::kInt32Data, n);
    case DType::kString: return string_tensor(parts, n, context);
  }
  return {};
}

}  // namespace

NamedTensor read_tensor(std::string_view bytes, const std::string& what, ReadContext& context) {
  Parts parts;
  parts.bytes = bytes;
  parts.where = what;
  read_name(parts, context);
  Message message(bytes, "TensorProto");
  while (message.next()) read_part(message, parts, context);
  const auto dtype = dtype_of_onnx(parts.data_type);
  if (!dtype && parts.data_type == 0) throw_format(parts.where, "has no data type");
  if (!dtype) {
    throw_unsupported(parts.where, "has type " + onnx_type_name(parts.data_type) +
                                       "; expected float32, float64, int64, int32, bool or string");
  }
  context.allow(1, sizeof(Tensor) + 2 * 64);  // its storage's own
  Tensor tensor = tensor_of(parts, *dtype, context);
  return {std::move(parts.name), std::move(tensor)};
}

}  // namespace maas
