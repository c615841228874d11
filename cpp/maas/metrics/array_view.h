// A one-dimensional numeric array of any dtype, as metrics receive labels, scores, targets and weights. Read
// in blocks: a contiguous array of the wanted type is handed out in place, anything else is converted into
// the caller's small buffer, so no array is ever copied whole.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <utility>

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

// A matrix of numbers of shape (n, columns), one column a class or output.
struct ArrayMatrix {
  ArrayView first_column;
  size_t columns = 1;
  ptrdiff_t column_stride = 0;  // bytes

  size_t rows() const { return first_column.size; }
  ArrayView column(size_t j) const;
  ArrayView row(size_t i) const;
};

// Rows that a metric handles at once: the block and its conversions stay in the first-level cache.
inline constexpr size_t kBlockRows = 1024;

// Elements [begin, begin + n) as int64, n <= kBlockRows; nullptr when one of them is no integer that int64
// holds (a fraction, NaN, or beyond the range).
const int64_t* read_labels(const ArrayView& view, size_t begin, size_t n, int64_t* buffer);

// Elements [begin, begin + n) as double.
const double* read_doubles(const ArrayView& view, size_t begin, size_t n, double* buffer);

// out[i * columns + j] = 1 where element (begin + i, j) is not zero, else 0, for i < n.
void read_nonzero(const ArrayMatrix& matrix, size_t begin, size_t n, uint8_t* out);

// The values that occur, least first and twice if there is but one; nothing when there are more than two, or
// none.
std::optional<std::pair<double, double>> two_values(const ArrayMatrix& matrix);

}  // namespace maas
