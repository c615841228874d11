#include "tensor_array.h"

#include <memory>
#include <vector>

#include "maas/base/error.h"

namespace py = pybind11;

namespace maas::bindings {

namespace {

constexpr const char* kTypes = "float32, float64, int64, int32, bool or text";

Shape shape_of(const py::array& array) { return Shape(array.shape(), array.shape() + array.ndim()); }

Tensor text_tensor(const py::array& array, const std::string& what) {
  std::vector<std::string> values;
  values.reserve(static_cast<size_t>(array.size()));
  for (const py::handle item : array.attr("astype")("O").attr("ravel")()) {
    if (!py::isinstance<py::str>(item) && !py::isinstance<py::bytes>(item)) {
      throw_invalid("graph", "expected " + what + " to be " + kTypes + ", got an object of type " +
                                 py::str(py::type::of(item).attr("__name__")).cast<std::string>());
    }
    values.push_back(to_text(item));
  }
  return Tensor::of_strings(shape_of(array), std::move(values));
}

template <class T>
Tensor number_tensor(const py::array& array) {
  const auto packed = py::array_t < T, py::array::c_style | py::array::forcecast > ::ensure(array);
  if (!packed) throw py::error_already_set();
  return Tensor::of(shape_of(array), packed.data());
}

}  // namespace

py::str to_str(std::string_view text) {
  PyObject* decoded =
      PyUnicode_DecodeUTF8(text.data(), static_cast<Py_ssize_t>(text.size()), "surrogateescape");
  if (decoded == nullptr) throw py::error_already_set();
  return py::reinterpret_steal<py::str>(decoded);
}

std::string to_text(py::handle text) {
  if (py::isinstance<py::bytes>(text)) return py::reinterpret_borrow<py::bytes>(text);
  const auto encoded =
      py::reinterpret_steal<py::bytes>(PyUnicode_AsEncodedString(text.ptr(), "utf-8", "surrogateescape"));
  if (!encoded) throw py::error_already_set();
  return encoded;
}

Tensor to_tensor(const py::array& array, const std::string& what) {
  const char kind = array.dtype().kind();
  const auto bytes = array.itemsize();
  if (kind == 'f' && bytes == 4) return number_tensor<float>(array);
  if (kind == 'f' && bytes == 8) return number_tensor<double>(array);
  if (kind == 'i' && bytes == 8) return number_tensor<int64_t>(array);
  if (kind == 'i' && bytes == 4) return number_tensor<int32_t>(array);
  if (kind == 'b') return number_tensor<bool>(array);
  if (kind == 'U' || kind == 'O' || kind == 'T') return text_tensor(array, what);
  throw_invalid("graph", "expected " + what + " to be " + kTypes + ", got " +
                             py::str(py::object(array.dtype())).cast<std::string>());
}

py::array to_array(const Tensor& tensor) {
  const std::vector<py::ssize_t> shape(tensor.shape().begin(), tensor.shape().end());
  if (tensor.dtype() == DType::kString) {
    py::list items;
    for (const std::string_view text : tensor.values<std::string_view>()) items.append(to_str(text));
    py::array flat(py::dtype("O"), std::vector<py::ssize_t>{static_cast<py::ssize_t>(tensor.size())});
    flat[py::ellipsis()] = items;
    py::array array = flat.reshape(shape);
    array.attr("setflags")(false);
    return array;
  }
  auto kept = std::make_unique<Tensor>(tensor);
  const void* data = kept->data();
  const py::capsule owner(kept.release(), [](void* pointer) { delete static_cast<Tensor*>(pointer); });
  py::array array(numpy_dtype(tensor.dtype()), shape, data, owner);
  array.attr("setflags")(false);
  return array;
}

DType to_dtype(const std::string& name) {
  for (const DType dtype :
       {DType::kFloat32, DType::kFloat64, DType::kInt64, DType::kInt32, DType::kBool, DType::kString}) {
    if (name == dtype_name(dtype)) return dtype;
  }
  throw_invalid("graph",
                "expected a type of float32, float64, int64, int32, bool or string, got '" + name + "'");
}

py::dtype numpy_dtype(DType dtype) { return py::dtype(dtype == DType::kString ? "O" : dtype_name(dtype)); }

}  // namespace maas::bindings
