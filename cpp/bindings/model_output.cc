#include "model_output.h"

#include <algorithm>

#include "maas/graph/shape.h"
#include "model_input.h"
#include "python_error.h"

namespace maas::bindings {

namespace {

int type_number(DType dtype) {
  switch (dtype) {
    case DType::kFloat32: return NPY_FLOAT32;
    case DType::kFloat64: return NPY_FLOAT64;
    case DType::kInt64: return NPY_INT64;
    case DType::kInt32: return NPY_INT32;
    case DType::kBool: return NPY_BOOL;
    case DType::kString: return NPY_UNICODE;
  }
  return NPY_NOTYPE;
}

// Exact for UTF-8; bytes that are not may need one character each.
size_t characters(std::string_view text) {
  return static_cast<size_t>(
      std::count_if(text.begin(), text.end(), [](char byte) { return (byte & 0xC0) != 0x80; }));
}

// `to` is zero and has room for `width` characters. Returns how many it takes; more than `width`: nothing of
// use was written. -1 with the error set where memory is short.
Py_ssize_t decode(std::string_view text, Py_UCS4* to, size_t width) {
  size_t i = 0;
  for (; i < text.size() && i < width && static_cast<unsigned char>(text[i]) < 0x80; ++i) {
    to[i] = static_cast<unsigned char>(text[i]);
  }
  const auto size = static_cast<Py_ssize_t>(text.size());
  if (i == text.size()) return size;
  PyObject* decoded = PyUnicode_DecodeUTF8(text.data(), size, "surrogateescape");
  if (decoded == nullptr) return -1;
  const Py_ssize_t length = PyUnicode_GetLength(decoded);
  if (length <= static_cast<Py_ssize_t>(width)) PyUnicode_AsUCS4(decoded, to, length, 0);
  Py_DECREF(decoded);
  return length;
}

PyArray_Descr* text_descr(size_t width) {
  PyArray_Descr* descr = PyArray_DescrNewFromType(NPY_UNICODE);
  if (descr != nullptr) PyDataType_SET_ELSIZE(descr, static_cast<npy_intp>(4 * std::max<size_t>(1, width)));
  return descr;
}

}  // namespace

OutputSpec::OutputSpec(const Value& value, size_t text_width)
    : value_(value),
      batched_(is_batched(value.type.shape)),
      row_shape_(value.type.shape.begin() + (batched_ ? 1 : 0), value.type.shape.end()),
      elements_(elements(value.type.shape)),
      text_width_(text_width),
      descr_(is_text() ? text_descr(text_width) : PyArray_DescrFromType(type_number(value.type.dtype))) {}

int OutputSpec::dims(size_t rows, bool one_row, npy_intp* out) const {
  int rank = 0;
  if (batched_ && !one_row) out[rank++] = static_cast<npy_intp>(rows);
  for (const int64_t dim : row_shape_) out[rank++] = static_cast<npy_intp>(dim);
  return rank;
}

PyArrayObject* OutputSpec::new_array(size_t rows, bool one_row) const {
  npy_intp shape[NPY_MAXDIMS];
  const int rank = dims(rows, one_row, shape);
  Py_INCREF(descr_.get());
  return reinterpret_cast<PyArrayObject*>(
      PyArray_NewFromDescr(&PyArray_Type, descr_.get(), rank, shape, nullptr, nullptr, 0, nullptr));
}

PyArrayObject* OutputSpec::new_texts(const std::string_view* texts, size_t rows, bool one_row) const {
  const size_t count = items(rows);
  size_t width = std::max<size_t>(1, text_width_);
  for (size_t i = 0; i < count; ++i) width = std::max(width, characters(texts[i]));
  npy_intp shape[NPY_MAXDIMS];
  const int rank = dims(rows, one_row, shape);
  PyArray_Descr* descr = text_descr(width);
  if (descr == nullptr) return nullptr;
  auto* array = reinterpret_cast<PyArrayObject*>(PyArray_Zeros(rank, shape, descr, 0));  // takes the descr
  if (array == nullptr) return nullptr;
  auto* to = static_cast<Py_UCS4*>(PyArray_DATA(array));
  for (size_t i = 0; i < count; ++i) {
    const Py_ssize_t length = decode(texts[i], to + i * width, width);
    if (length >= 0 && static_cast<size_t>(length) <= width) continue;
    if (length >= 0) set_python_error(ErrorCode::kFormatError, "[predict] expected labels in UTF-8");
    Py_DECREF(array);
    return nullptr;
  }
  return array;
}

std::string OutputSpec::wanted(size_t rows, bool one_row) const {
  npy_intp shape[NPY_MAXDIMS];
  const int rank = dims(rows, one_row, shape);
  return std::string(dtype_name(value_.type.dtype)) + " " + shape_text(Shape(shape, shape + rank));
}

void* OutputSpec::data_of(PyObject* out, size_t rows, bool one_row, HeldBuffer* held) const {
  const auto refuse = [&](const std::string& got) -> void* {
    set_python_error(ErrorCode::kInvalidArgument, "[predict_into] expected a writable, contiguous array of " +
                                                      wanted(rows, one_row) + ", got " + got);
    return nullptr;
  };
  if (is_text()) {
    set_python_error(ErrorCode::kUnsupported,
                     "[predict_into] expected a model that predicts numbers; this one predicts text");
    return nullptr;
  }
  if (!held->hold(out, PyBUF_RECORDS_RO)) return refuse("an object without a buffer");
  const Py_buffer& buffer = **held;
  npy_intp shape[NPY_MAXDIMS];
  const int rank = dims(rows, one_row, shape);
  DType dtype;
  const bool known = buffer_dtype(buffer, &dtype);
  if (!known || dtype != value_.type.dtype || buffer.ndim != rank ||
      !std::equal(shape, shape + rank, buffer.shape)) {
    return refuse((known ? std::string(dtype_name(dtype)) : "another type") + " " +
                  shape_text(Shape(buffer.shape, buffer.shape + buffer.ndim)));
  }
  if (buffer.readonly != 0) return refuse("a read-only one");
  if (PyBuffer_IsContiguous(&buffer, 'C') == 0) return refuse("one with gaps");
  if (reinterpret_cast<uintptr_t>(buffer.buf) % item_size(dtype) != 0) return refuse("one off its alignment");
  return buffer.buf;
}

}  // namespace maas::bindings
