#include "maas/metrics/array_view.h"

#include <algorithm>
#include <atomic>
#include <cstdlib>
#include <type_traits>

#include "maas/base/shards.h"
#include "maas/base/thread_pool.h"
#include "maas/base/view.h"

namespace maas {
namespace {

// Integers of larger magnitude are no longer spaced by one in double, nor sure to fit int64.
constexpr double kLargestExact = 9007199254740992.0;  // 2^53

constexpr size_t kShardValues = size_t{1} << 16;  // values a task

// Calls fn with a value of the C++ type that `type` names.
template <class Fn>
decltype(auto) with_type(NumberType type, Fn&& fn) {
  switch (type) {
    case NumberType::kI8: return fn(int8_t{});
    case NumberType::kI16: return fn(int16_t{});
    case NumberType::kI32: return fn(int32_t{});
    case NumberType::kI64: return fn(int64_t{});
    case NumberType::kU8: return fn(uint8_t{});
    case NumberType::kU16: return fn(uint16_t{});
    case NumberType::kU32: return fn(uint32_t{});
    case NumberType::kU64: return fn(uint64_t{});
    case NumberType::kF32: return fn(float{});
    case NumberType::kF64: break;
  }
  return fn(double{});
}

template <class T>
bool to_label(T value, int64_t* label) {
  if constexpr (std::is_floating_point_v<T>) {
    const bool in_range = value >= -kLargestExact && value <= kLargestExact;  // false for NaN
    *label = in_range ? static_cast<int64_t>(value) : 0;
    return in_range && static_cast<T>(*label) == value;
  } else {
    *label = static_cast<int64_t>(value);
    return std::is_signed_v<T> || sizeof(T) < 8 || *label >= 0;
  }
}

// A loop over a compile-time stride is one the compiler can vectorise.
template <class T, class Out, class Convert>
bool convert(const ArrayView& view, size_t begin, size_t n, Out* out, Convert&& each) {
  const std::byte* first = view.data + static_cast<ptrdiff_t>(begin) * view.stride;
  bool good = true;
  if (view.contiguous()) {
    for (size_t i = 0; i < n; ++i)
      good &= each(load_unaligned(reinterpret_cast<const T*>(first) + i), out + i);
  } else {
    for (size_t i = 0; i < n; ++i) {
      const auto* at = reinterpret_cast<const T*>(first + static_cast<ptrdiff_t>(i) * view.stride);
      good &= each(load_unaligned(at), out + i);
    }
  }
  return good;
}

template <class T>
void nonzero(const ArrayMatrix& matrix, size_t begin, size_t n, uint8_t* out) {
  const size_t columns = matrix.columns;
  const std::byte* row =
      matrix.first_column.data + static_cast<ptrdiff_t>(begin) * matrix.first_column.stride;
  if (matrix.column_stride == sizeof(T) &&
      matrix.first_column.stride == static_cast<ptrdiff_t>(columns * sizeof(T))) {
    const T* values = reinterpret_cast<const T*>(row);
    for (size_t i = 0; i < n * columns; ++i) out[i] = load_unaligned(values + i) != T{0};
    return;
  }
  for (size_t i = 0; i < n; ++i, row += matrix.first_column.stride) {
    for (size_t j = 0; j < columns; ++j) {
      const std::byte* at = row + static_cast<ptrdiff_t>(j) * matrix.column_stride;
      *out++ = load_unaligned(reinterpret_cast<const T*>(at)) != T{0};
    }
  }
}

// Whether all n values are a or b.
template <class T>
bool only(const std::byte* first, ptrdiff_t stride, size_t n, T a, T b) {
  bool good = true;
  if (stride == sizeof(T)) {
    const T* values = reinterpret_cast<const T*>(first);
    for (size_t i = 0; i < n; ++i) {
      const T value = load_unaligned(values + i);
      good &= (value == a) | (value == b);
    }
    return good;
  }
  for (size_t i = 0; i < n; ++i, first += stride) {
    const T value = load_unaligned(reinterpret_cast<const T*>(first));
    good &= (value == a) | (value == b);
  }
  return good;
}

// The first value that is not `a`, or `a`.
template <class T>
T other_value(const ArrayMatrix& matrix, T a) {
  for (size_t i = 0; i < matrix.rows(); ++i) {
    const ArrayView row = matrix.row(i);
    for (size_t j = 0; j < row.size; ++j) {
      const T value =
          load_unaligned(reinterpret_cast<const T*>(row.data + static_cast<ptrdiff_t>(j) * row.stride));
      if (value != a) return value;
    }
  }
  return a;
}

template <class T>
std::optional<std::pair<double, double>> values_of(const ArrayMatrix& matrix) {
  const T a = load_unaligned(reinterpret_cast<const T*>(matrix.first_column.data));
  const T b = other_value(matrix, a);
  std::atomic<bool> good{true};
  const auto check = [&](const std::byte* first, ptrdiff_t stride, size_t n) {
    if (good.load(std::memory_order_relaxed) && !only<T>(first, stride, n, a, b)) good = false;
  };
  const ArrayView& first = matrix.first_column;
  const size_t columns = matrix.columns;
  if (matrix.column_stride == sizeof(T) && first.stride == static_cast<ptrdiff_t>(columns * sizeof(T))) {
    const Shards shards = make_shards(matrix.rows() * columns, kShardValues);
    parallel_for(shards.count(), [&](size_t shard, int) {
      const size_t begin = shards.begin(shard);
      check(first.data + begin * sizeof(T), sizeof(T), shards.end(shard) - begin);
    });
  } else {
    // Along the shorter stride: runs of whole rows, or of whole columns.
    const bool by_rows = std::abs(matrix.column_stride) <= std::abs(first.stride);
    const Shards shards =
        make_shards(by_rows ? matrix.rows() : columns, by_rows ? kShardValues / columns + 1 : 1);
    parallel_for(shards.count(), [&](size_t shard, int) {
      for (size_t line = shards.begin(shard); line < shards.end(shard); ++line) {
        const ArrayView view = by_rows ? matrix.row(line) : matrix.column(line);
        check(view.data, view.stride, view.size);
      }
    });
  }
  if (!good) return std::nullopt;
  return std::pair(static_cast<double>(std::min(a, b)), static_cast<double>(std::max(a, b)));
}

}  // namespace

size_t ArrayView::item_size() const {
  return with_type(type, [](auto zero) { return sizeof(zero); });
}

ArrayView ArrayMatrix::column(size_t j) const {
  ArrayView view = first_column;
  view.data += static_cast<ptrdiff_t>(j) * column_stride;
  return view;
}

ArrayView ArrayMatrix::row(size_t i) const {
  return {first_column.data + static_cast<ptrdiff_t>(i) * first_column.stride, columns, column_stride,
          first_column.type};
}

const int64_t* read_labels(const ArrayView& view, size_t begin, size_t n, int64_t* buffer) {
  if (view.type == NumberType::kI64 && view.contiguous()) {
    return reinterpret_cast<const int64_t*>(view.data) + begin;
  }
  const bool good = with_type(view.type, [&](auto zero) {
    using T = decltype(zero);
    return convert<T>(view, begin, n, buffer, [](T value, int64_t* out) { return to_label(value, out); });
  });
  return good ? buffer : nullptr;
}

const double* read_doubles(const ArrayView& view, size_t begin, size_t n, double* buffer) {
  if (view.type == NumberType::kF64 && view.contiguous()) {
    return reinterpret_cast<const double*>(view.data) + begin;
  }
  with_type(view.type, [&](auto zero) {
    using T = decltype(zero);
    return convert<T>(view, begin, n, buffer, [](T value, double* out) {
      *out = static_cast<double>(value);
      return true;
    });
  });
  return buffer;
}

void read_nonzero(const ArrayMatrix& matrix, size_t begin, size_t n, uint8_t* out) {
  with_type(matrix.first_column.type, [&](auto zero) { nonzero<decltype(zero)>(matrix, begin, n, out); });
}

std::optional<std::pair<double, double>> two_values(const ArrayMatrix& matrix) {
  if (matrix.rows() == 0 || matrix.columns == 0) return std::nullopt;
  return with_type(matrix.first_column.type, [&](auto zero) { return values_of<decltype(zero)>(matrix); });
}

}  // namespace maas
