#include <array>

#include "maas/onnx/tensor_reader.h"

namespace maas {

namespace {

// By number; TensorProto.DataType.
constexpr std::array<const char*, 29> kNames = {
    "undefined",      "float32",    "uint8",          "int8",       "uint16",     "int16",
    "int32",          "int64",      "string",         "bool",       "float16",    "float64",
    "uint32",         "uint64",     "complex64",      "complex128", "bfloat16",   "float8e4m3fn",
    "float8e4m3fnuz", "float8e5m2", "float8e5m2fnuz", "uint4",      "int4",       "float4e2m1",
    "float8e8m0",     "uint2",      "int2",           "float6e2m3", "float6e3m2",
};

}  // namespace

std::optional<DType> dtype_of_onnx(int32_t data_type) {
  switch (data_type) {
    case 1: return DType::kFloat32;
    case 6: return DType::kInt32;
    case 7: return DType::kInt64;
    case 8: return DType::kString;
    case 9: return DType::kBool;
    case 11: return DType::kFloat64;
    default: return std::nullopt;
  }
}

int32_t onnx_of_dtype(DType dtype) {
  switch (dtype) {
    case DType::kFloat32: return 1;
    case DType::kInt32: return 6;
    case DType::kInt64: return 7;
    case DType::kString: return 8;
    case DType::kBool: return 9;
    case DType::kFloat64: return 11;
  }
  return 0;
}

std::string onnx_type_name(int32_t data_type) {
  if (data_type >= 0 && static_cast<size_t>(data_type) < kNames.size()) return kNames[data_type];
  return "type " + std::to_string(data_type);
}

}  // namespace maas
