#include "model_input.h"

#include "maas/graph/shape.h"
#include "python_error.h"

namespace maas::bindings {

namespace {

// Finds rows and strides; false where rank or dimensions do not fit, or where the items of a row have no one
// stride.
bool take_layout(const InputSpec& spec, int rank, const Py_ssize_t* shape, const Py_ssize_t* strides,
                 InputRows* out) {
  const auto row_rank = static_cast<int>(spec.row_shape.size());
  out->one_row = rank == row_rank && spec.batched;
  if (rank != row_rank && !(spec.batched && rank == row_rank + 1)) return false;
  const int first = rank - row_rank;
  out->rows = first == 1 ? static_cast<size_t>(shape[0]) : 1;
  out->array.row_stride = first == 1 ? strides[0] : 0;
  out->array.item_stride = row_rank == 0 ? 0 : strides[rank - 1];
  Py_ssize_t expected = out->array.item_stride;
  for (int i = rank - 1; i >= first; --i) {
    const auto dim = static_cast<Py_ssize_t>(spec.row_shape[static_cast<size_t>(i - first)]);
    if (shape[i] != dim) return false;
    if (strides[i] != expected && dim > 1) return false;
    expected *= dim;
  }
  return true;
}

}  // namespace

InputSpec::InputSpec(const Value& of)
    : value(of),
      batched(is_batched(of.type.shape)),
      row_shape(of.type.shape.begin() + (batched ? 1 : 0), of.type.shape.end()),
      elements(maas::elements(of.type.shape)) {
  for (const DType from :
       {DType::kFloat32, DType::kFloat64, DType::kInt64, DType::kInt32, DType::kBool, DType::kString}) {
    takes[static_cast<size_t>(from)] = from == of.type.dtype || widens(from, of.type.dtype);
  }
}

bool array_dtype(PyArrayObject* array, DType* out) {
  if (PyArray_ISBYTESWAPPED(array)) return false;
  switch (PyArray_TYPE(array)) {
    case NPY_FLOAT: *out = DType::kFloat32; return true;
    case NPY_DOUBLE: *out = DType::kFloat64; return true;
    case NPY_BOOL: *out = DType::kBool; return true;
    case NPY_INT:
    case NPY_LONG:
    case NPY_LONGLONG: *out = PyArray_ITEMSIZE(array) == 8 ? DType::kInt64 : DType::kInt32; return true;
    default: return false;
  }
}

bool buffer_dtype(const Py_buffer& buffer, DType* out) {
  const char* format = buffer.format;
  if (format == nullptr) return false;
  if (*format == '@' || *format == '=' || *format == '^') ++format;  // native order; itemsize tells the size
  if (*format == '\0' || format[1] != '\0') return false;
  switch (*format) {
    case 'f': *out = DType::kFloat32; return true;
    case 'd': *out = DType::kFloat64; return true;
    case '?': *out = DType::kBool; return true;
    case 'i':
    case 'l':
    case 'q': *out = buffer.itemsize == 8 ? DType::kInt64 : DType::kInt32; return true;
    default: return false;
  }
}

bool take_array(PyArrayObject* array, const InputSpec& spec, InputRows* out) {
  DType dtype;
  if (!array_dtype(array, &dtype) || !spec.takes[static_cast<size_t>(dtype)]) return false;
  out->array.data = PyArray_DATA(array);
  out->array.dtype = dtype;
  return take_layout(spec, PyArray_NDIM(array), PyArray_DIMS(array), PyArray_STRIDES(array), out);
}

bool take_buffer(const Py_buffer& buffer, const InputSpec& spec, InputRows* out) {
  DType dtype;
  if (!buffer_dtype(buffer, &dtype) || !spec.takes[static_cast<size_t>(dtype)]) return false;
  if (buffer.suboffsets != nullptr) return false;
  out->array.data = buffer.buf;
  out->array.dtype = dtype;
  return take_layout(spec, buffer.ndim, buffer.shape, buffer.strides, out);
}

bool take_texts(PyArrayObject* array, const InputSpec& spec, std::vector<std::string_view>* texts,
                InputRows* out) {
  if (spec.value.type.dtype != DType::kString || !PyArray_IS_C_CONTIGUOUS(array)) {
    PyErr_SetString(PyExc_TypeError, "expected a contiguous array of str objects");
    return false;
  }
  const auto count = static_cast<size_t>(PyArray_SIZE(array));
  PyObject* const* objects = static_cast<PyObject* const*>(PyArray_DATA(array));
  texts->resize(count);
  for (size_t i = 0; i < count; ++i) {
    Py_ssize_t size = 0;
    const char* text = objects[i] == nullptr ? nullptr : PyUnicode_AsUTF8AndSize(objects[i], &size);
    if (text == nullptr) return false;
    (*texts)[i] = {text, static_cast<size_t>(size)};
  }
  constexpr auto kBytes = static_cast<ptrdiff_t>(sizeof(std::string_view));
  out->one_row = spec.batched && PyArray_NDIM(array) == static_cast<int>(spec.row_shape.size());
  out->rows = spec.batched && !out->one_row ? static_cast<size_t>(PyArray_DIM(array, 0)) : 1;
  out->array = {texts->data(), DType::kString, kBytes * static_cast<ptrdiff_t>(spec.elements), kBytes};
  if (out->rows * spec.elements == count) return true;
  set_python_error(ErrorCode::kInvalidArgument, "[predict] expected arrays of the model's shape");
  return false;
}

bool take_text_column(PyObject* column, const InputSpec& spec, std::vector<std::string_view>* texts,
                      InputRows* out) {
  PyArrayObject *offsets, *bytes;
  if (!PyTuple_Check(column)) {
    PyErr_SetString(PyExc_TypeError, "expected arrays, or tuples of offsets and bytes");
    return false;
  }
  const bool arrays = PyArg_ParseTuple(column, "O!O!", &PyArray_Type, &offsets, &PyArray_Type, &bytes) != 0;
  if (!arrays) return false;
  const auto vector_of = [](PyArrayObject* array, int type) {
    return PyArray_TYPE(array) == type && PyArray_NDIM(array) == 1 && PyArray_ISCARRAY_RO(array);
  };
  if (spec.value.type.dtype != DType::kString || !spec.batched || spec.elements != 1 ||
      !vector_of(offsets, NPY_INT64) || !vector_of(bytes, NPY_UINT8) || PyArray_DIM(offsets, 0) < 1) {
    PyErr_SetString(PyExc_TypeError, "expected int64 offsets and uint8 bytes for an input of one text a row");
    return false;
  }
  const auto* cuts = static_cast<const int64_t*>(PyArray_DATA(offsets));
  const auto* data = static_cast<const char*>(PyArray_DATA(bytes));
  const auto size = static_cast<int64_t>(PyArray_DIM(bytes, 0));
  out->rows = static_cast<size_t>(PyArray_DIM(offsets, 0) - 1);
  texts->resize(out->rows);
  for (size_t i = 0; i < out->rows; ++i) {
    if (cuts[i] < 0 || cuts[i] > cuts[i + 1] || cuts[i + 1] > size) {
      set_python_error(ErrorCode::kInvalidArgument, "[predict] expected text offsets in order and in bounds");
      return false;
    }
    (*texts)[i] = {data + cuts[i], static_cast<size_t>(cuts[i + 1] - cuts[i])};
  }
  constexpr auto kBytes = static_cast<ptrdiff_t>(sizeof(std::string_view));
  out->array = {texts->data(), DType::kString, kBytes, kBytes};
  return true;
}

}  // namespace maas::bindings
