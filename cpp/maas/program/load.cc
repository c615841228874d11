#include "maas/program/load.h"

#include <algorithm>
#include <cstdlib>
#include <cstring>

#include "maas/kernels/transpose.h"

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

// `count` items a stride apart, to every step-th place.
template <class From, class To>
void load_items(const std::byte* from, ptrdiff_t stride, size_t count, To* to, size_t step) {
  for (size_t k = 0; k < count; ++k, from += stride, to += step) *to = read<From, To>(from);
}

template <class From, class To>
void load_as(const std::byte* data, ptrdiff_t row_stride, ptrdiff_t item_stride, size_t rows, size_t elements,
             To* out) {
  const auto at = [&](size_t i, size_t j) {
    return data + static_cast<ptrdiff_t>(i) * row_stride + static_cast<ptrdiff_t>(j) * item_stride;
  };
  constexpr auto kSize = static_cast<ptrdiff_t>(sizeof(From));
  if (row_stride == item_stride * static_cast<ptrdiff_t>(elements)) {  // one long row
    elements *= rows;
    rows = std::min<size_t>(rows, 1);
  }
  if (std::is_same_v<From, To> && item_stride == kSize) {
    for (size_t i = 0; i < rows && elements > 0; ++i) {
      std::memcpy(out + i * elements, at(i, 0), elements * sizeof(To));
    }
  } else if (std::is_same_v<From, To> && row_stride == kSize && (sizeof(To) == 4 || sizeof(To) == 8)) {
    transpose_columns(data, item_stride, sizeof(To), rows, elements, reinterpret_cast<std::byte*>(out));
  } else if (item_stride == kSize) {  // a constant, for the compiler
    for (size_t i = 0; i < rows; ++i) load_items<From, To>(at(i, 0), kSize, elements, out + i * elements, 1);
  } else if (std::abs(item_stride) <= std::abs(row_stride)) {
    for (size_t i = 0; i < rows; ++i) {
      load_items<From, To>(at(i, 0), item_stride, elements, out + i * elements, 1);
    }
  } else {
    for (size_t i = 0; i < rows; i += kTile) {
      for (size_t j0 = 0; j0 < elements; j0 += kTile) {
        for (size_t j = j0; j < std::min(elements, j0 + kTile); ++j) {
          load_items<From, To>(at(i, j), row_stride, std::min(kTile, rows - i), out + i * elements + j,
                               elements);
        }
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
