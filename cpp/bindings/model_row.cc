#include "model_row.h"

#include <cmath>
#include <cstring>
#include <limits>

namespace maas::bindings {

namespace {

constexpr size_t kAlign = 8;

template <class T>
bool put(T value, std::byte* cell) {
  std::memcpy(cell, &value, sizeof(T));
  return true;
}

// False where the integer is out of range or `value` is none.
bool put_integer(long long value, DType dtype, std::byte* cell) {
  switch (dtype) {
    case DType::kFloat32: return put(static_cast<float>(value), cell);
    case DType::kFloat64: return put(static_cast<double>(value), cell);
    case DType::kInt64: return put(static_cast<int64_t>(value), cell);
    case DType::kInt32: return value == static_cast<int32_t>(value) && put(static_cast<int32_t>(value), cell);
    case DType::kBool: return (value == 0 || value == 1) && put(value == 1, cell);
    case DType::kString: break;
  }
  return false;
}

bool put_real(double value, DType dtype, std::byte* cell) {
  if (dtype == DType::kFloat32) return put(static_cast<float>(value), cell);
  if (dtype == DType::kFloat64) return put(value, cell);
  // 3.0 is an integer where one is wanted; 3.5, NaN and what no int64 holds are not.
  if (!(std::fabs(value) < 0x1p63) || value != std::trunc(value)) return false;
  return put_integer(static_cast<long long>(value), dtype, cell);
}

}  // namespace

RowPlan::RowPlan(const std::vector<InputSpec>& inputs, PyObject* names) {
  if (!PyTuple_Check(names)) return;
  Py_ssize_t next = 0;
  for (const InputSpec& input : inputs) {
    const size_t size = item_size(input.value.type.dtype);
    arrays_.push_back({reinterpret_cast<const void*>(record_bytes_), input.value.type.dtype, 0,
                       static_cast<ptrdiff_t>(size)});
    for (size_t j = 0; j < input.elements && next < PyTuple_GET_SIZE(names); ++j, ++next) {
      PyObject* name = PyTuple_GET_ITEM(names, next);
      Py_INCREF(name);
      cells_.push_back({name, record_bytes_ + j * size, input.value.type.dtype});
    }
    record_bytes_ += (input.elements * size + kAlign - 1) / kAlign * kAlign;
  }
  for (InputArray& array : arrays_) array.row_stride = static_cast<ptrdiff_t>(record_bytes_);
}

RowPlan::~RowPlan() {
  for (const Cell& cell : cells_) Py_DECREF(cell.name);
}

void RowPlan::arrays(const std::byte* records, std::vector<InputArray>* out) const {
  *out = arrays_;
  for (InputArray& array : *out) array.data = records + reinterpret_cast<uintptr_t>(array.data);
}

RowRecords::~RowRecords() {
  for (PyObject* text : texts_) Py_DECREF(text);
}

bool RowRecords::fill(PyObject* rows) {
  const bool one = PyDict_CheckExact(rows);
  rows_ = one ? 1 : static_cast<size_t>(PyList_GET_SIZE(rows));
  data_ = inline_;
  if (rows_ * plan_.record_bytes() > sizeof(inline_)) {
    heap_.resize(rows_ * plan_.record_bytes());
    data_ = heap_.data();
  }
  if (one) return fill_row(rows, data_);
  for (size_t i = 0; i < rows_; ++i) {
    if (i >= static_cast<size_t>(PyList_GET_SIZE(rows))) return false;
    PyObject* row = PyList_GET_ITEM(rows, static_cast<Py_ssize_t>(i));
    if (!PyDict_CheckExact(row) || !fill_row(row, data_ + i * plan_.record_bytes())) return false;
  }
  return true;
}

bool RowRecords::fill_row(PyObject* dict, std::byte* record) {
  for (const RowPlan::Cell& cell : plan_.cells()) {
    PyObject* value = PyDict_GetItemWithError(dict, cell.name);
    if (value == nullptr || !fill_cell(value, cell.dtype, record + cell.offset)) {
      PyErr_Clear();
      return false;
    }
  }
  return true;
}

bool RowRecords::fill_cell(PyObject* value, DType dtype, std::byte* cell) {
  if (PyFloat_Check(value)) return put_real(PyFloat_AS_DOUBLE(value), dtype, cell);
  if (PyUnicode_Check(value)) {
    Py_ssize_t size = 0;
    const char* text = dtype == DType::kString ? PyUnicode_AsUTF8AndSize(value, &size) : nullptr;
    if (text == nullptr) return false;
    texts_.push_back(value);
    Py_INCREF(value);
    return put(std::string_view(text, static_cast<size_t>(size)), cell);
  }
  if (PyLong_Check(value)) {  // bool too
    int overflow = 0;
    const long long number = PyLong_AsLongLongAndOverflow(value, &overflow);
    return overflow == 0 && put_integer(number, dtype, cell);
  }
  if (value == Py_None && is_float(dtype))
    return put_real(std::numeric_limits<double>::quiet_NaN(), dtype, cell);
  if (PyArray_IsScalar(value, Floating)) {
    const double number = PyFloat_AsDouble(value);
    return !PyErr_Occurred() && put_real(number, dtype, cell);
  }
  if (PyArray_IsScalar(value, Bool)) return put_integer(PyArrayScalar_VAL(value, Bool), dtype, cell);
  if (!PyArray_IsScalar(value, Integer)) return false;
  PyObject* index = PyNumber_Index(value);
  const bool ok = index != nullptr && fill_cell(index, dtype, cell);
  Py_XDECREF(index);
  return ok;
}

}  // namespace maas::bindings
