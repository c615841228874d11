// numpy vectors of any real dtype as the metrics' type-erased views, without copies.
#pragma once

#include <pybind11/numpy.h>

#include <optional>

#include "maas/base/error.h"
#include "maas/metrics/array_view.h"

namespace maas::bindings {

inline NumberType number_type(const pybind11::dtype& dtype) {
  const auto size = dtype.itemsize();
  const char order = dtype.byteorder();
  if (order == '=' || order == '|' || order == '<') {
    switch (dtype.kind()) {
      case 'b': return NumberType::kU8;
      case 'i':
        return size == 1   ? NumberType::kI8
               : size == 2 ? NumberType::kI16
               : size == 4 ? NumberType::kI32
                           : NumberType::kI64;
      case 'u':
        return size == 1   ? NumberType::kU8
               : size == 2 ? NumberType::kU16
               : size == 4 ? NumberType::kU32
                           : NumberType::kU64;
      case 'f':
        if (size == 4) return NumberType::kF32;
        if (size == 8) return NumberType::kF64;
        break;
      default: break;
    }
  }
  throw_invalid("array", "expected a native boolean, integer, float32 or float64 dtype");
}

// The array must outlive the view.
inline ArrayView number_view(const pybind11::array& a) {
  if (a.ndim() != 1) throw_invalid("array", "expected 1 dimension, got " + std::to_string(a.ndim()));
  return {static_cast<const std::byte*>(a.data()), static_cast<size_t>(a.shape(0)), a.strides(0),
          number_type(a.dtype())};
}

// No array (None) is an empty view.
inline ArrayView number_view(const std::optional<pybind11::array>& a) {
  return a ? number_view(*a) : ArrayView{};
}

// Shape (n,) or (n, columns).
inline ArrayMatrix number_matrix(const pybind11::array& a) {
  if (a.ndim() == 1) return {number_view(a)};
  if (a.ndim() != 2) throw_invalid("array", "expected 1 or 2 dimensions, got " + std::to_string(a.ndim()));
  const ArrayView first{static_cast<const std::byte*>(a.data()), static_cast<size_t>(a.shape(0)),
                        a.strides(0), number_type(a.dtype())};
  return {first, static_cast<size_t>(a.shape(1)), a.strides(1)};
}

inline void require_rows(const ArrayView& view, size_t rows) {
  if (view && view.size != rows) throw_invalid("array", "expected arrays of one length");
}

}  // namespace maas::bindings
