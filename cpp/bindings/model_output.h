// The results of a run as new numpy arrays, or written into the caller's.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "maas/program/program.h"
#include "model_input.h"
#include "numpy_api.h"

namespace maas::bindings {

// An output of a role, with its numpy type made ready. Used with the GIL held.
class OutputSpec {
 public:
  // `text_width`: the least length, in characters, of the items of arrays of text.
  OutputSpec(const Value& value, size_t text_width);

  const Value& value() const { return value_; }
  bool is_text() const { return value_.type.dtype == DType::kString; }
  size_t items(size_t rows) const { return (batched_ ? rows : 1) * elements_; }

  bool is_scalar(bool one_row) const { return row_shape_.empty() && (one_row || !batched_); }

  // A numpy scalar of the number at `cell`.
  PyObject* new_scalar(void* cell) const { return PyArray_Scalar(cell, descr_.get(), nullptr); }
  // A new, uninitialised array, of one row without its batch axis. Null with the error set.
  PyArrayObject* new_array(size_t rows, bool one_row) const;
  // The same, filled with texts.
  PyArrayObject* new_texts(const std::string_view* texts, size_t rows, bool one_row) const;

  // Where `out` takes `rows` results as they are: writable, contiguous, aligned, of the right type and shape.
  // Null with the error set where not. `held` keeps the memory in place.
  void* data_of(PyObject* out, size_t rows, bool one_row, HeldBuffer* held) const;

 private:
  struct Release {
    void operator()(PyArray_Descr* descr) const { Py_DECREF(descr); }
  };
  using Descr = std::unique_ptr<PyArray_Descr, Release>;

  int dims(size_t rows, bool one_row, npy_intp* out) const;
  std::string wanted(size_t rows, bool one_row) const;

  Value value_;
  bool batched_;
  Shape row_shape_;
  size_t elements_;
  size_t text_width_;
  Descr descr_;
};

}  // namespace maas::bindings
