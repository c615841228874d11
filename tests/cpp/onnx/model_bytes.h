// ONNX models as bytes, written field by field, so that tests can write wrong ones too.
#pragma once

#include <gtest/gtest.h>

#include <cstdint>
#include <cstring>
#include <initializer_list>
#include <string>
#include <string_view>
#include <vector>

#include "maas/base/error.h"

namespace maas::pb {

inline std::string varint(uint64_t value) {
  std::string bytes;
  for (; value >= 0x80; value >>= 7) bytes += static_cast<char>(value | 0x80);
  return bytes + static_cast<char>(value);
}

inline std::string key(uint32_t field, int wire) { return varint(uint64_t{field} << 3 | wire); }

// A number, and a length with bytes.
inline std::string number(uint32_t field, int64_t value) {
  return key(field, 0) + varint(static_cast<uint64_t>(value));
}
inline std::string bytes(uint32_t field, std::string_view value) {
  return key(field, 2) + varint(value.size()) + std::string(value);
}

// The memory of values, little-endian: raw data, packed floats.
template <class T>
std::string memory(std::initializer_list<T> values) {
  return {reinterpret_cast<const char*>(values.begin()), values.size() * sizeof(T)};
}

inline std::string packed(std::initializer_list<int64_t> values) {
  std::string out;
  for (const int64_t value : values) out += varint(static_cast<uint64_t>(value));
  return out;
}

enum Type : int {
  kFloat = 1,
  kInt8 = 3,
  kInt32 = 6,
  kInt64 = 7,
  kString = 8,
  kBool = 9,
  kHalf = 10,
  kDouble = 11
};

// TensorProto; data: its data fields.
inline std::string tensor(std::string_view name, int type, std::initializer_list<int64_t> dims,
                          std::string_view data) {
  return bytes(1, packed(dims)) + number(2, type) + bytes(8, name) + std::string(data);
}

// ValueInfoProto of a tensor; a dimension of -1 has a name only.
inline std::string value(std::string_view name, int type, std::initializer_list<int64_t> dims) {
  std::string shape;
  for (const int64_t dim : dims) shape += bytes(1, dim < 0 ? bytes(2, "N") : number(1, dim));
  return bytes(1, name) + bytes(2, bytes(1, number(1, type) + bytes(2, shape)));
}

// AttributeProto; data: its value and type.
inline std::string attribute(std::string_view name, std::string_view data) {
  return bytes(1, name) + std::string(data);
}

inline std::string node(std::string_view op, std::initializer_list<std::string_view> inputs,
                        std::initializer_list<std::string_view> outputs, std::string_view more = "") {
  std::string out;
  for (const auto input : inputs) out += bytes(1, input);
  for (const auto output : outputs) out += bytes(2, output);
  return out + bytes(4, op) + std::string(more);
}

// ModelProto around the fields of a GraphProto.
inline std::string model(std::string_view graph, int64_t opset = 21, int64_t ml = 4) {
  return number(1, 10) + bytes(7, bytes(2, "g") + std::string(graph)) +
         bytes(8, bytes(1, "") + number(2, opset)) + bytes(8, bytes(1, "ai.onnx.ml") + number(2, ml));
}

// A model that gives out one initializer, so that it is read.
inline std::string of_initializer(std::string_view tensor_bytes, std::string_view name = "w") {
  return model(bytes(5, tensor_bytes) + bytes(1, node("Identity", {name}, {"y"})) + bytes(12, bytes(1, "y")));
}

// One node on x, float [N, columns], giving y.
inline std::string of_node(std::string_view node_bytes, int64_t opset, std::string_view more = "") {
  return model(bytes(11, value("x", kFloat, {-1, 4})) + bytes(1, node_bytes) + bytes(12, bytes(1, "y")) +
                   std::string(more),
               opset);
}

template <class Call>
void expect_error(ErrorCode code, std::string_view words, Call&& call) {
  try {
    call();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), code) << error.what();
    EXPECT_NE(std::string_view(error.what()).find(words), std::string_view::npos)
        << "'" << error.what() << "' does not say '" << words << "'";
    return;
  }
  ADD_FAILURE() << "no error; expected '" << words << "'";
}

}  // namespace maas::pb
