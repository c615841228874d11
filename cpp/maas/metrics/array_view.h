// A one-dimensional numeric array of any dtype, as metrics receive labels, scores, targets and weights. Read
// in blocks: a contiguous array of the wanted type is handed out in place, anything else is converted into
// the caller's small buffer, so no array is ever copied whole.
#pragma once

#include <cstddef>
#include <cstdint>

namespace maas {

enum class NumberType : uint8_t { kI8, kI16, kI32, kI64, kU8, kU16, kU32, kU64, kF32, kF64 };

struct ArrayView {
  const std::byte* data = nullptr;  // may be unaligned
  size_t size = 0;
  ptrdiff_t stride = 0;  // bytes, may be negative
  NumberType type = NumberType::kF64;

  explicit operator bool() const { return data != nullptr; }
  size_t item_size() const;
  bool is_float() const { return type == NumberType::kF32 || type == NumberType::kF64; }
  bool contiguous() const { return stride == static_cast<ptrdiff_t>(item_size()); }
};

// Rows that a metric handles at once: the block and its conversions stay in the first-level cache.
inline constexpr size_t kBlockRows = 1024;

// Elements [begin, begin + n) as int64, n <= kBlockRows; nullptr when one of them is no integer that int64
// holds (a fraction, NaN, or beyond the range).
const int64_t* read_labels(const ArrayView& view, size_t begin, size_t n, int64_t* buffer);

// Elements [begin, begin + n) as double.
const double* read_doubles(const ArrayView& view, size_t begin, size_t n, double* buffer);

}  // namespace maas
