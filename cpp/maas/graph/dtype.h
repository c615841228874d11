// The element types a model may have.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

namespace maas {

enum class DType : uint8_t { kFloat32, kFloat64, kInt64, kInt32, kBool, kString };

// Bytes of one element in a run: bool is one byte of 0 or 1, a string is a std::string_view.
constexpr size_t item_size(DType dtype) {
  switch (dtype) {
    case DType::kFloat32: return 4;
    case DType::kFloat64: return 8;
    case DType::kInt64: return 8;
    case DType::kInt32: return 4;
    case DType::kBool: return 1;
    case DType::kString: return sizeof(std::string_view);
  }
  return 0;
}

// "float32", "float64", "int64", "int32", "bool", "string".
constexpr const char* dtype_name(DType dtype) {
  switch (dtype) {
    case DType::kFloat32: return "float32";
    case DType::kFloat64: return "float64";
    case DType::kInt64: return "int64";
    case DType::kInt32: return "int32";
    case DType::kBool: return "bool";
    case DType::kString: return "string";
  }
  return "";
}

// ONNX's number of a type, as in Cast's attribute `to`; nothing for those a model may not have here.
constexpr int64_t onnx_number(DType dtype) {
  constexpr int64_t numbers[] = {1, 11, 7, 6, 9, 8};
  return numbers[static_cast<size_t>(dtype)];
}
constexpr std::optional<DType> onnx_dtype(int64_t number) {
  for (const DType dtype :
       {DType::kFloat32, DType::kFloat64, DType::kInt64, DType::kInt32, DType::kBool, DType::kString}) {
    if (onnx_number(dtype) == number) return dtype;
  }
  return std::nullopt;
}

constexpr bool is_float(DType dtype) { return dtype == DType::kFloat32 || dtype == DType::kFloat64; }
constexpr bool is_integer(DType dtype) { return dtype == DType::kInt64 || dtype == DType::kInt32; }

template <class T>
struct DTypeOf;
template <>
struct DTypeOf<float> {
  static constexpr DType value = DType::kFloat32;
};
template <>
struct DTypeOf<double> {
  static constexpr DType value = DType::kFloat64;
};
template <>
struct DTypeOf<int64_t> {
  static constexpr DType value = DType::kInt64;
};
template <>
struct DTypeOf<int32_t> {
  static constexpr DType value = DType::kInt32;
};
template <>
struct DTypeOf<bool> {
  static constexpr DType value = DType::kBool;
};
template <>
struct DTypeOf<std::string_view> {
  static constexpr DType value = DType::kString;
};
template <class T>
inline constexpr DType dtype_of = DTypeOf<T>::value;

}  // namespace maas
