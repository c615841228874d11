#include "model_answer.h"

#include <memory>

#include "python_error.h"

namespace maas::bindings {

namespace {

struct Unref {
  void operator()(void* object) const { Py_DECREF(static_cast<PyObject*>(object)); }
};

// One output of a run: numbers go straight into a new array, text is decoded into one afterwards.
class Answer {
 public:
  Answer(const OutputSpec& spec, size_t rows, bool one_row) : spec_(spec), rows_(rows), one_row_(one_row) {}

  // Where the run writes. Null with the error set.
  void* begin() {
    if (spec_.is_text()) {
      texts_.resize(std::max<size_t>(1, spec_.items(rows_)));
      return texts_.data();
    }
    if (spec_.is_scalar(one_row_)) return &cell_;
    array_.reset(spec_.new_array(rows_, one_row_));
    return array_ ? PyArray_DATA(array_.get()) : nullptr;
  }
  PyObject* finish() {
    if (spec_.is_text()) {
      PyArrayObject* texts = spec_.new_texts(texts_.data(), rows_, one_row_);
      return texts == nullptr ? nullptr : PyArray_Return(texts);
    }
    if (!array_) return spec_.new_scalar(&cell_);
    return reinterpret_cast<PyObject*>(array_.release());
  }

 private:
  const OutputSpec& spec_;
  size_t rows_;
  bool one_row_;
  uint64_t cell_ = 0;  // a number of any type
  std::vector<std::string_view> texts_;
  std::unique_ptr<PyArrayObject, Unref> array_;
};

bool one_length(const InputRows& input, const InputSpec& spec, bool* first, size_t* rows, bool* one_row) {
  if (!spec.batched) return true;
  if (!*first && (input.rows != *rows || input.one_row != *one_row)) {
    set_python_error(ErrorCode::kInvalidArgument, "[predict] expected inputs of one number of rows, got " +
                                                      std::to_string(*rows) + " and " +
                                                      std::to_string(input.rows));
    return false;
  }
  *first = false;
  *rows = input.rows;
  *one_row = input.one_row;
  return true;
}

}  // namespace

PyObject* new_answer(Role& role, const InputArray* inputs, size_t rows, bool one_row) {
  Lease lease(role.scratches());
  Answer answer(role.outputs()[0], rows, one_row);
  void* out = answer.begin();
  if (out == nullptr || !role.run(inputs, rows, &out, lease)) return nullptr;
  return answer.finish();
}

PyObject* new_answers(Role& role, const InputArray* inputs, size_t rows, bool one_row) {
  Lease lease(role.scratches());
  std::vector<Answer> answers;
  std::vector<void*> outs;
  for (const OutputSpec& spec : role.outputs()) answers.emplace_back(spec, rows, one_row);
  for (Answer& answer : answers) {
    outs.push_back(answer.begin());
    if (outs.back() == nullptr) return nullptr;
  }
  if (!role.run(inputs, rows, outs.data(), lease)) return nullptr;
  PyObject* tuple = PyTuple_New(static_cast<Py_ssize_t>(answers.size()));
  if (tuple == nullptr) return nullptr;
  for (size_t i = 0; i < answers.size(); ++i) {
    PyObject* item = answers[i].finish();
    if (item == nullptr) {
      Py_DECREF(tuple);
      return nullptr;
    }
    PyTuple_SET_ITEM(tuple, static_cast<Py_ssize_t>(i), item);
  }
  return tuple;
}

PyObject* answer_arrays(ModelState& state, RoleKind kind, PyObject* arrays) {
  const size_t count = state.inputs().size();
  if (!PyTuple_Check(arrays) || static_cast<size_t>(PyTuple_GET_SIZE(arrays)) != count) {
    PyErr_SetString(PyExc_TypeError, "expected a tuple of one array an input");
    return nullptr;
  }
  std::vector<std::vector<std::string_view>> texts(count);
  std::vector<InputArray> inputs;
  size_t rows = 1;
  bool first = true, one_row = false;
  for (size_t i = 0; i < count; ++i) {
    const InputSpec& spec = state.inputs()[i];
    PyObject* item = PyTuple_GET_ITEM(arrays, static_cast<Py_ssize_t>(i));
    auto* array = reinterpret_cast<PyArrayObject*>(item);
    InputRows input;
    if (!PyArray_Check(item)) {
      if (!take_text_column(item, spec, &texts[i], &input)) return nullptr;
    } else if (PyArray_TYPE(array) == NPY_OBJECT) {
      if (!take_texts(array, spec, &texts[i], &input)) return nullptr;
    } else if (!take_array(array, spec, &input)) {
      set_python_error(
          ErrorCode::kInvalidArgument,
          "[predict] expected an array of the type and shape of input '" + spec.value.name + "'");
      return nullptr;
    }
    if (!one_length(input, spec, &first, &rows, &one_row)) return nullptr;
    inputs.push_back(input.array);
  }
  Role& role = state.role(kind);
  return kind == RoleKind::kOutputs ? new_answers(role, inputs.data(), rows, one_row)
                                    : new_answer(role, inputs.data(), rows, one_row);
}

}  // namespace maas::bindings
