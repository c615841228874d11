#include "maas/metrics/array_view.h"

#include <type_traits>

#include "maas/base/view.h"

namespace maas {
namespace {

// Integers of larger magnitude are no longer spaced by one in double, nor sure to fit int64.
constexpr double kLargestExact = 9007199254740992.0;  // 2^53

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

}  // namespace

size_t ArrayView::item_size() const {
  return with_type(type, [](auto zero) { return sizeof(zero); });
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

}  // namespace maas
