// The element types of tensors that travel: the Open Inference Protocol's names, a raw frame's numbers.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

namespace maas::wire {

// The numbers are those of raw frames: never change one.
enum class DataType : uint8_t {
  kBool = 1,
  kUint8 = 2,
  kUint16 = 3,
  kUint32 = 4,
  kUint64 = 5,
  kInt8 = 6,
  kInt16 = 7,
  kInt32 = 8,
  kInt64 = 9,
  kFloat16 = 10,  // named, so that it can be refused by name
  kFloat32 = 11,
  kFloat64 = 12,
  kBytes = 13,
};

inline constexpr DataType kDataTypes[] = {
    DataType::kBool,    DataType::kUint8,   DataType::kUint16, DataType::kUint32, DataType::kUint64,
    DataType::kInt8,    DataType::kInt16,   DataType::kInt32,  DataType::kInt64,  DataType::kFloat16,
    DataType::kFloat32, DataType::kFloat64, DataType::kBytes};

// Bytes of one element; 0 for kBytes, whose elements carry their lengths.
constexpr size_t item_size(DataType type) {
  switch (type) {
    case DataType::kBool:
    case DataType::kUint8:
    case DataType::kInt8: return 1;
    case DataType::kUint16:
    case DataType::kInt16:
    case DataType::kFloat16: return 2;
    case DataType::kUint32:
    case DataType::kInt32:
    case DataType::kFloat32: return 4;
    case DataType::kUint64:
    case DataType::kInt64:
    case DataType::kFloat64: return 8;
    case DataType::kBytes: return 0;
  }
  return 0;
}

// "FP32", "BYTES", ...
constexpr std::string_view data_type_name(DataType type) {
  constexpr std::string_view names[] = {"BOOL",  "UINT8", "UINT16", "UINT32", "UINT64", "INT8", "INT16",
                                        "INT32", "INT64", "FP16",   "FP32",   "FP64",   "BYTES"};
  return names[static_cast<size_t>(type) - 1];
}

constexpr std::optional<DataType> find_data_type(std::string_view name) {
  for (const DataType type : kDataTypes) {
    if (data_type_name(type) == name) return type;
  }
  return std::nullopt;
}

constexpr std::optional<DataType> data_type_numbered(uint8_t number) {
  if (number < 1 || number > static_cast<uint8_t>(DataType::kBytes)) return std::nullopt;
  return static_cast<DataType>(number);
}

}  // namespace maas::wire
