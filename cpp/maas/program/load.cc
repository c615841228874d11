#include "maas/program/load.h"

#include <algorithm>
#include <cstring>

namespace maas {

namespace {

// Rows and items of a tile: what is read along one stride is written along the other while both are in the
// first-level cache.
constexpr size_t kTile = 32;

template <class From, class To>
To read(const std::byte* at) {
  From value;
  std::memcpy(&value, at, sizeof(From));
  return static_cast<To>(value);
}

template <class From, class To>
void load_as(const std::byte* data, ptrdiff_t row_stride, ptrdiff_t item_stride, size_t rows, size_t elements,
             To* out) {
  const auto at = [&](size_t i, size_t j) {
    return data + static_cast<ptrdiff_t>(i) * row_stride + static_cast<ptrdiff_t>(j) * item_stride;
  };
  if (item_stride == sizeof(From)) {
    for (size_t i = 0; i < rows; ++i) {
      if constexpr (std::is_same_v<From, To>) {
        if (elements > 0) std::memcpy(out + i * elements, at(i, 0), elements * sizeof(To));
      } else {
        const std::byte* row = at(i, 0);
        for (size_t j = 0; j < elements; ++j) out[i * elements + j] = read<From, To>(row + j * sizeof(From));
      }
    }
    return;
  }
  for (size_t i0 = 0; i0 < rows; i0 += kTile) {
    const size_t i1 = std::min(rows, i0 + kTile);
    for (size_t j0 = 0; j0 < elements; j0 += kTile) {
      const size_t j1 = std::min(elements, j0 + kTile);
      for (size_t j = j0; j < j1; ++j) {
        const std::byte* from = at(i0, j);
        To* to = out + i0 * elements + j;
        for (size_t i = i0; i < i1; ++i, from += row_stride, to += elements) *to = read<From, To>(from);
      }
    }
  }
}

}  // namespace

void load_rows(const InputArray& array, size_t begin, size_t rows, size_t elements, DType to,
               void* out) noexcept {
  const auto* data =
      static_cast<const std::byte*>(array.data) + static_cast<ptrdiff_t>(begin) * array.row_stride;
  const auto load = [&]<class From, class To>(From, To) {
    load_as<From, To>(data, array.row_stride, array.item_stride, rows, elements, static_cast<To*>(out));
  };
  switch (array.dtype) {
    case DType::kFloat32: return to == DType::kFloat32 ? load(float{}, float{}) : load(float{}, double{});
    case DType::kFloat64: return load(double{}, double{});
    case DType::kInt64: return load(int64_t{}, int64_t{});
    case DType::kString: return load(std::string_view{}, std::string_view{});
    case DType::kInt32:
      if (to == DType::kInt32) return load(int32_t{}, int32_t{});
      return to == DType::kInt64 ? load(int32_t{}, int64_t{}) : load(int32_t{}, double{});
    case DType::kBool: break;
  }
  switch (to) {  // a byte of 0 or 1
    case DType::kFloat32: return load(uint8_t{}, float{});
    case DType::kFloat64: return load(uint8_t{}, double{});
    case DType::kInt64: return load(uint8_t{}, int64_t{});
    case DType::kInt32: return load(uint8_t{}, int32_t{});
    default: return load(uint8_t{}, uint8_t{});
  }
}

bool widens(DType from, DType to) {
  if (from == to) return true;
  switch (from) {
    case DType::kFloat32: return to == DType::kFloat64;
    case DType::kInt32: return to == DType::kInt64 || to == DType::kFloat64;
    case DType::kBool: return to != DType::kString;
    default: return false;
  }
}

}  // namespace maas
