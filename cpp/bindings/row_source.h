// numpy arrays as the rows of a training batch, without copies.
#pragma once

#include <pybind11/numpy.h>

#include <optional>
#include <string>

#include "maas/base/error.h"
#include "maas/nn/row_source.h"

namespace maas::bindings {

inline DType row_dtype(const pybind11::dtype& dtype, const char* what) {
  const char order = dtype.byteorder();
  const auto size = dtype.itemsize();
  if (order == '=' || order == '|' || order == '<') {
    switch (dtype.kind()) {
      case 'b': return DType::kBool;
      case 'i':
        if (size == 8) return DType::kInt64;
        if (size == 4) return DType::kInt32;
        break;
      case 'f':
        if (size == 8) return DType::kFloat64;
        if (size == 4) return DType::kFloat32;
        break;
      default: break;
    }
  }
  throw_invalid(what, "expected float32, float64, int32, int64 or bool in native byte order, got " +
                          pybind11::str(dtype).cast<std::string>());
}

// Shape (n,) or (n, ...); the values of a row must be one stride apart. The array must outlive the source.
inline RowSource row_source(const pybind11::array& a, const char* what) {
  if (a.ndim() < 1) throw_invalid(what, "expected an array of at least 1 dimension, got a single value");
  RowSource source;
  source.data = a.data();
  source.dtype = row_dtype(a.dtype(), what);
  source.rows = static_cast<size_t>(a.shape(0));
  source.cols = 1;
  source.row_stride = a.strides(0);
  source.item_stride = a.itemsize();
  std::optional<pybind11::ssize_t> next;  // stride of an axis that goes on where those seen so far end
  for (pybind11::ssize_t axis = a.ndim() - 1; axis > 0; --axis) {
    const pybind11::ssize_t length = a.shape(axis);
    source.cols *= static_cast<size_t>(length);
    if (length == 1) continue;
    if (next && a.strides(axis) != *next) {
      throw_invalid(what,
                    "expected rows whose values are one stride apart, such as those of a C-order array");
    }
    if (!next) source.item_stride = a.strides(axis);
    next = a.strides(axis) * length;
  }
  return source;
}

}  // namespace maas::bindings
