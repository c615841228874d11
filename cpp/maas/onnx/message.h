// A protobuf message read strictly, field by field: a known field of another wire type is an error, where
// protobuf would keep it aside.
#pragma once

#include <cstdint>
#include <protozero/pbf_reader.hpp>
#include <string_view>

#include "maas/onnx/read_context.h"

namespace maas {

// Borrows its bytes. Throws FormatError, or a protozero::exception where the bytes end or make no sense.
class Message {
 public:
  // name: for messages, "NodeProto".
  Message(std::string_view bytes, const char* name) : reader_(bytes.data(), bytes.size()), name_(name) {}

  bool next() { return reader_.next(); }
  uint32_t field() const { return reader_.tag(); }
  void skip() { reader_.skip(); }

  int64_t get_int64() {
    expect(protozero::pbf_wire_type::varint);
    return reader_.get_int64();
  }
  int32_t get_int32() { return static_cast<int32_t>(get_int64()); }
  float get_float() {
    expect(protozero::pbf_wire_type::fixed32);
    return reader_.get_float();
  }
  std::string_view get_bytes() {
    expect(protozero::pbf_wire_type::length_delimited);
    const auto view = reader_.get_view();
    return {view.data(), view.size()};
  }

  // Repeated numbers of this field, packed or a single one: calls sink(number) for each. T: int64_t, int32_t
  // (varints), float, double (fixed).
  template <class T, class Sink>
  void numbers(Sink&& sink);
  // How many `numbers<T>` would give.
  template <class T>
  size_t count_numbers();

 private:
  void expect(protozero::pbf_wire_type type) const {
    if (!reader_.has_wire_type(type)) wrong_type();
  }
  [[noreturn]] void wrong_type() const {
    throw_format("onnx", "field " + std::to_string(field()) + " of a " + name_ + " has the wrong wire type");
  }

  protozero::pbf_reader reader_;
  const char* name_;
};

template <class T, class Sink>
void Message::numbers(Sink&& sink) {
  constexpr bool kFixed = std::is_floating_point_v<T>;
  constexpr auto kSingle = !kFixed          ? protozero::pbf_wire_type::varint
                           : sizeof(T) == 4 ? protozero::pbf_wire_type::fixed32
                                            : protozero::pbf_wire_type::fixed64;
  if (reader_.has_wire_type(kSingle)) {
    if constexpr (std::is_same_v<T, float>) sink(reader_.get_float());
    if constexpr (std::is_same_v<T, double>) sink(reader_.get_double());
    if constexpr (!kFixed) sink(static_cast<T>(reader_.get_int64()));
    return;
  }
  const std::string_view packed = get_bytes();
  if constexpr (kFixed) {
    if (packed.size() % sizeof(T) != 0) throw protozero::invalid_length_exception{};
    for (size_t at = 0; at < packed.size(); at += sizeof(T)) {
      T number;
      std::memcpy(&number, packed.data() + at, sizeof(T));
      sink(number);
    }
  } else {
    const char* at = packed.data();
    const char* end = at + packed.size();
    while (at < end) sink(static_cast<T>(protozero::decode_varint(&at, end)));
  }
}

template <class T>
size_t Message::count_numbers() {
  if (!reader_.has_wire_type(protozero::pbf_wire_type::length_delimited)) {
    size_t count = 0;
    numbers<T>([&count](T) { ++count; });
    return count;
  }
  const std::string_view packed = get_bytes();
  if constexpr (std::is_floating_point_v<T>) return packed.size() / sizeof(T);
  size_t count = 0;
  for (const char byte : packed) count += static_cast<unsigned char>(byte) < 0x80;
  return count;
}

}  // namespace maas
