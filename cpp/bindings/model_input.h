// Python's arrays and buffers as the inputs of a run, without copies.
#pragma once

#include <string_view>
#include <vector>

#include "maas/program/program.h"
#include "numpy_api.h"

namespace maas::bindings {

// An input of a model, with what each call asks of it made ready.
struct InputSpec {
  explicit InputSpec(const Value& value);

  Value value;
  bool batched;
  Shape row_shape;  // of one row; all of it where unbatched
  size_t elements;  // of that
  bool takes[6];    // element types that a run reads, by DType
};

// Rows for one input. Holds nothing: the array or buffer must outlive it.
struct InputRows {
  InputArray array;
  size_t rows = 0;
  bool one_row = false;  // the batch axis was left out
};

// False where the array is not one that a run reads as it is: another dtype, byte order, rank or width. No
// Python error is set; who wants to tell or to convert does (python/maas_engine/_tables.py).
bool take_array(PyArrayObject* array, const InputSpec& spec, InputRows* out);
bool take_buffer(const Py_buffer& buffer, const InputSpec& spec, InputRows* out);

// An array of str objects for an input of strings: `texts` gets views into them. Sets the error.
bool take_texts(PyArrayObject* array, const InputSpec& spec, std::vector<std::string_view>* texts,
                InputRows* out);

// A column of text as Arrow has it: a tuple of int64 offsets, one more than rows, and the bytes they cut.
// Sets the error.
bool take_text_column(PyObject* column, const InputSpec& spec, std::vector<std::string_view>* texts,
                      InputRows* out);

// A buffer that is given back.
class HeldBuffer {
 public:
  HeldBuffer() = default;
  ~HeldBuffer() {
    if (held_) PyBuffer_Release(&buffer_);
  }
  HeldBuffer(const HeldBuffer&) = delete;
  HeldBuffer& operator=(const HeldBuffer&) = delete;

  // False without a Python error where `object` has none to give.
  bool hold(PyObject* object, int flags) {
    held_ = PyObject_CheckBuffer(object) && PyObject_GetBuffer(object, &buffer_, flags) == 0;
    if (!held_) PyErr_Clear();
    return held_;
  }
  const Py_buffer& operator*() const { return buffer_; }
  const Py_buffer* operator->() const { return &buffer_; }

 private:
  Py_buffer buffer_;
  bool held_ = false;
};

// The element type of a native array or of a buffer's format; false for all others.
bool array_dtype(PyArrayObject* array, DType* out);
bool buffer_dtype(const Py_buffer& buffer, DType* out);

}  // namespace maas::bindings
