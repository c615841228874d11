// numpy arrays as Tensors and back; text as Python strings and back.
#pragma once

#include <pybind11/numpy.h>

#include <string>
#include <string_view>

#include "maas/graph/tensor.h"

namespace maas::bindings {

// UTF-8. Bytes that are not come as lone surrogates and go back as they came (PEP 383), so nothing is lost.
pybind11::str to_str(std::string_view text);
std::string to_text(pybind11::handle text);  // str or bytes

// Copies. float32, float64, int64, int32, bool in any layout and byte order, text ('U' or objects of str).
// `what` names the array in the message of a dtype that models do not have.
Tensor to_tensor(const pybind11::array& array, const std::string& what);

// Read-only and without a copy, but text: an array of str objects.
pybind11::array to_array(const Tensor& tensor);

DType to_dtype(const std::string& name);   // "float32" …
pybind11::dtype numpy_dtype(DType dtype);  // text: object

}  // namespace maas::bindings
