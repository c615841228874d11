// numpy arrays as views, without copies. Arrays must already have the right dtype and rank (Python checks).
#pragma once

#include <pybind11/numpy.h>

#include "maas/base/error.h"
#include "maas/base/view.h"

namespace maas::bindings {

// No forcecast and no c_style: a wrong dtype raises TypeError instead of copying.
template <class T>
using Array = pybind11::array_t<T, 0>;

template <class T>
ptrdiff_t element_stride(const Array<T>& a, int axis) {
  const auto bytes = a.strides(axis);
  if (bytes % static_cast<pybind11::ssize_t>(sizeof(T)) != 0) {
    throw_invalid("array", "expected strides that are multiples of the item size");
  }
  return bytes / static_cast<pybind11::ssize_t>(sizeof(T));
}

template <class T>
VectorView<T> vector_view(const Array<T>& a) {
  if (a.ndim() != 1) throw_invalid("array", "expected 1 dimension, got " + std::to_string(a.ndim()));
  return {a.data(), static_cast<size_t>(a.shape(0)), element_stride(a, 0)};
}

template <class T>
MatrixView<T> matrix_view(const Array<T>& a) {
  if (a.ndim() != 2) throw_invalid("array", "expected 2 dimensions, got " + std::to_string(a.ndim()));
  return {a.data(), static_cast<size_t>(a.shape(0)), static_cast<size_t>(a.shape(1)), element_stride(a, 0),
          element_stride(a, 1)};
}

}  // namespace maas::bindings
