// Numbers as text and back, as Cast has them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace maas {

// Most characters of one number: -2.2250738585072014e-308.
inline constexpr size_t kNumberText = 24;

// Writes the shortest text that reads back as `value` to `out` (kNumberText bytes) and returns its length.
// Plain below 1e8 for float32 and 1e17 for float64, and from 1e-4 on, with an exponent elsewhere, as C's %g
// with that many digits chooses; NaN, INF and -INF; no point behind integers; bool as 1 and 0.
size_t write_number(float value, char* out);
size_t write_number(double value, char* out);
size_t write_number(int64_t value, char* out);
size_t write_number(int32_t value, char* out);
size_t write_number(uint8_t value, char* out);

// Reads the whole text, but for blanks around it: decimal, with or without exponent, or inf, infinity, nan in
// any case. Integers drop a fraction; uint8_t is bool: whether the number is other than 0. False, and 0 in
// `value`, where the text is no number or one that the type cannot hold.
bool read_number(std::string_view text, float& value);
bool read_number(std::string_view text, double& value);
bool read_number(std::string_view text, int64_t& value);
bool read_number(std::string_view text, int32_t& value);
bool read_number(std::string_view text, uint8_t& value);

}  // namespace maas
