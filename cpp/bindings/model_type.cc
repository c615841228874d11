// The C type behind maas_engine.Model: predict and its kin are functions of the type itself, so that a row
// costs no Python frame. What is not an array that a run reads as it is goes to _predict_table, in Python.
#define MAAS_IMPORTS_NUMPY
#include <pybind11/pybind11.h>

#include "model_answer.h"
#include "module.h"
#include "python_error.h"
#include "tensor_array.h"

namespace py = pybind11;

namespace maas::bindings {

namespace {

struct ModelObject {
  PyObject ob_base;
  ModelState* state;
  PyObject* graph;  // the Graph it was made from
};

ModelObject* cast(PyObject* self) { return reinterpret_cast<ModelObject*>(self); }

// --- the methods -------------------------------------------------------------------------------------

PyObject* answer_rows(ModelState& state, RoleKind kind, PyObject* rows) {
  RowRecords records(state.row_plan());
  if (!records.fill(rows)) return nullptr;  // without an error
  std::vector<InputArray> inputs;
  state.row_plan().arrays(records.data(), &inputs);
  return new_answer(state.role(kind), inputs.data(), records.rows(), PyDict_CheckExact(rows));
}

bool has_rows(const ModelState& state, PyObject* x) {
  if (state.row_plan().empty()) return false;
  return PyDict_CheckExact(x) ||
         (PyList_CheckExact(x) && PyList_GET_SIZE(x) > 0 && PyDict_CheckExact(PyList_GET_ITEM(x, 0)));
}

PyObject* answer_other(ModelObject* self, RoleKind kind, PyObject* x) {
  ModelState& state = *self->state;
  if (has_rows(state, x)) {
    PyObject* answer = answer_rows(state, kind, x);
    if (answer != nullptr || PyErr_Occurred()) return answer;
  } else if (!PyArray_Check(x) && state.inputs().size() == 1) {
    HeldBuffer buffer;
    InputRows input;
    if (buffer.hold(x, PyBUF_RECORDS_RO) && take_buffer(*buffer, state.inputs()[0], &input)) {
      return new_answer(state.role(kind), &input.array, input.rows, input.one_row);
    }
  }
  static_cast<void>(state.role(kind));  // says so at once where the model has none
  return PyObject_CallMethod(reinterpret_cast<PyObject*>(self), "_predict_table", "sO", role_name(kind), x);
}

template <RoleKind kind>
PyObject* method(PyObject* self, PyObject* x) {
  return guarded([&]() -> PyObject* {
    ModelState& state = *cast(self)->state;
    InputRows input;
    if (PyArray_CheckExact(x) && state.inputs().size() == 1 &&
        take_array(reinterpret_cast<PyArrayObject*>(x), state.inputs()[0], &input)) [[likely]] {
      return new_answer(state.role(kind), &input.array, input.rows, input.one_row);
    }
    return answer_other(cast(self), kind, x);
  });
}

// Where `x` is not an array or buffer that fits: the answer is made apart, and copied.
PyObject* copy_into(PyObject* self, PyObject* x, PyObject* out) {
  PyObject* answer = method<RoleKind::kPredict>(self, x);
  if (answer == nullptr) return nullptr;
  auto* array = reinterpret_cast<PyArrayObject*>(PyArray_FromAny(answer, nullptr, 0, 0, 0, nullptr));
  Py_DECREF(answer);
  if (array == nullptr) return nullptr;
  const OutputSpec& spec = cast(self)->state->role(RoleKind::kPredict).outputs()[0];
  HeldBuffer held;
  const bool one_row = PyArray_NDIM(array) < static_cast<int>(spec.value().type.shape.size());
  const size_t rows = PyArray_NDIM(array) > 0 ? static_cast<size_t>(PyArray_DIM(array, 0)) : 1;
  void* data = spec.data_of(out, rows, one_row, &held);
  if (data != nullptr) std::memcpy(data, PyArray_DATA(array), static_cast<size_t>(PyArray_NBYTES(array)));
  Py_DECREF(array);
  return data == nullptr ? nullptr : Py_NewRef(out);
}

bool overlap(const InputRows& input, const InputSpec& spec, const void* out, size_t bytes) {
  const auto* low = static_cast<const std::byte*>(input.array.data);
  const auto* high = low;
  const auto reach = [&](ptrdiff_t stride, size_t count) {
    if (count > 1) (stride < 0 ? low : high) += stride * static_cast<ptrdiff_t>(count - 1);
  };
  if (input.rows == 0 || spec.elements == 0) return false;
  reach(input.array.row_stride, input.rows);
  reach(input.array.item_stride, spec.elements);
  high += item_size(input.array.dtype);
  const auto* begin = static_cast<const std::byte*>(out);
  return low < begin + bytes && begin < high;
}

PyObject* predict_into(PyObject* self, PyObject* const* arguments, Py_ssize_t count) {
  if (count != 2) {
    PyErr_Format(PyExc_TypeError, "predict_into() takes X and out (%zd given)", count);
    return nullptr;
  }
  return guarded([&]() -> PyObject* {
    ModelState& state = *cast(self)->state;
    PyObject* x = arguments[0];
    InputRows input;
    HeldBuffer x_buffer, out_buffer;
    const bool taken =
        state.inputs().size() == 1 &&
        (PyArray_CheckExact(x)
             ? take_array(reinterpret_cast<PyArrayObject*>(x), state.inputs()[0], &input)
             : x_buffer.hold(x, PyBUF_RECORDS_RO) && take_buffer(*x_buffer, state.inputs()[0], &input));
    if (!taken) return copy_into(self, x, arguments[1]);
    Role& role = state.role(RoleKind::kPredict);
    const OutputSpec& spec = role.outputs()[0];
    void* out = spec.data_of(arguments[1], input.rows, input.one_row, &out_buffer);
    if (out == nullptr) return nullptr;
    const size_t bytes = spec.items(input.rows) * item_size(spec.value().type.dtype);
    if (overlap(input, state.inputs()[0], out, bytes)) {
      set_python_error(ErrorCode::kInvalidArgument, "[predict_into] expected out to share no memory with X");
      return nullptr;
    }
    Lease lease(role.scratches());
    return role.run(&input.array, input.rows, &out, lease) ? Py_NewRef(arguments[1]) : nullptr;
  });
}

PyObject* run_arrays(PyObject* self, PyObject* const* arguments, Py_ssize_t count) {
  return guarded([&]() -> PyObject* {
    const std::string_view name =
        count == 2 && PyUnicode_Check(arguments[0]) ? PyUnicode_AsUTF8(arguments[0]) : "";
    for (size_t kind = 0; kind < kRoleKinds; ++kind) {
      if (name != role_name(static_cast<RoleKind>(kind))) continue;
      return answer_arrays(*cast(self)->state, static_cast<RoleKind>(kind), arguments[1]);
    }
    PyErr_SetString(PyExc_TypeError, "expected a method's name and a tuple of arrays");
    return nullptr;
  });
}

PyObject* describe(PyObject* self, PyObject* name) {
  return guarded([&]() -> PyObject* {
    const std::string wanted = to_text(name);
    for (size_t kind = 0; kind < kRoleKinds; ++kind) {
      if (wanted != role_name(static_cast<RoleKind>(kind))) continue;
      return to_str(cast(self)->state->role(static_cast<RoleKind>(kind)).program().describe())
          .release()
          .ptr();
    }
    PyErr_SetString(PyExc_TypeError, "expected a method's name");
    return nullptr;
  });
}

PyObject* graph_of(PyObject* self, void*) { return Py_NewRef(cast(self)->graph); }

// --- life --------------------------------------------------------------------------------------------

PyObject* new_model(PyTypeObject* type, PyObject* arguments, PyObject*) {
  PyObject *graph, *columns;
  const char* values[3];
  Py_ssize_t text_width;
  if (!PyArg_ParseTuple(arguments, "OsssOn:Model", &graph, &values[0], &values[1], &values[2], &columns,
                        &text_width)) {
    return nullptr;
  }
  return guarded([&]() -> PyObject* {
    auto checked = py::cast<std::shared_ptr<CheckedGraph>>(py::handle(graph));
    auto state =
        std::make_unique<ModelState>(checked, std::array<std::string, 3>{values[0], values[1], values[2]},
                                     columns, static_cast<size_t>(std::max<Py_ssize_t>(0, text_width)));
    static_cast<void>(state->role(RoleKind::kPredict));  // what cannot run is refused here
    PyObject* self = type->tp_alloc(type, 0);
    if (self == nullptr) return nullptr;
    cast(self)->state = state.release();
    cast(self)->graph = Py_NewRef(graph);
    return self;
  });
}

int traverse(PyObject* self, visitproc visit, void* arg) {
  Py_VISIT(Py_TYPE(self));
  Py_VISIT(cast(self)->graph);
  return 0;
}

// `graph` and `state` stay until the end: neither refers back to a model, so no cycle needs them gone, and a
// finalizer may still call predict.
int clear(PyObject*) { return 0; }

void dealloc(PyObject* self) {
  PyTypeObject* type = Py_TYPE(self);
  PyObject_GC_UnTrack(self);
  delete cast(self)->state;
  Py_XDECREF(cast(self)->graph);
  type->tp_free(self);
  Py_DECREF(type);
}

template <class F>
PyCFunction as_method(F function) {
  return reinterpret_cast<PyCFunction>(reinterpret_cast<void (*)()>(function));
}

PyMethodDef methods[] = {
    {"predict", method<RoleKind::kPredict>, METH_O, nullptr},
    {"predict_proba", method<RoleKind::kPredictProba>, METH_O, nullptr},
    {"decision_function", method<RoleKind::kDecisionFunction>, METH_O, nullptr},
    {"predict_into", as_method(predict_into), METH_FASTCALL, nullptr},
    {"_run", as_method(run_arrays), METH_FASTCALL, nullptr},
    {"_describe", describe, METH_O, nullptr},
    {nullptr, nullptr, 0, nullptr},
};

PyGetSetDef attributes[] = {{"graph", graph_of, nullptr, nullptr, nullptr},
                            {nullptr, nullptr, nullptr, nullptr, nullptr}};

PyType_Slot slots[] = {
    {Py_tp_new, reinterpret_cast<void*>(new_model)},
    {Py_tp_dealloc, reinterpret_cast<void*>(dealloc)},
    {Py_tp_traverse, reinterpret_cast<void*>(traverse)},
    {Py_tp_clear, reinterpret_cast<void*>(clear)},
    {Py_tp_methods, methods},
    {Py_tp_getset, attributes},
    {0, nullptr},
};

PyType_Spec spec = {"maas_engine._core.Model", sizeof(ModelObject), 0,
                    Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE | Py_TPFLAGS_HAVE_GC, slots};

bool import_numpy() { return _import_array() >= 0; }

}  // namespace

void register_model(py::module_& m) {
  if (!import_numpy()) throw py::error_already_set();
  const auto type = py::reinterpret_steal<py::object>(PyType_FromSpec(&spec));
  if (!type) throw py::error_already_set();
  m.attr("Model") = type;
}

}  // namespace maas::bindings
