// One translator: each C++ error becomes the Python class of the same meaning (python/maas_engine/errors.py).
#include <new>

#include "maas/base/error.h"
#include "module.h"
#include "python_error.h"

namespace py = pybind11;

namespace maas::bindings {

namespace {

const char* class_name(ErrorCode code) {
  switch (code) {
    case ErrorCode::kInvalidArgument: return "InvalidArgument";
    case ErrorCode::kFormatError: return "FormatError";
    case ErrorCode::kNotFound: return "NotFound";
    case ErrorCode::kUnsupported: return "Unsupported";
    case ErrorCode::kPermissionDenied: return "PermissionDenied";
    case ErrorCode::kOverloaded: return "Overloaded";
    case ErrorCode::kDeadlineExceeded: return "DeadlineExceeded";
    case ErrorCode::kInternal: break;
  }
  return "Internal";
}

void raise(const char* name, const char* text) {
  const py::object type = py::module_::import("maas_engine.errors").attr(name);
  PyErr_SetString(type.ptr(), text);
}

void translate(const std::exception_ptr& error) {
  try {
    if (error) std::rethrow_exception(error);
  } catch (const NotFinite& e) {
    raise("NotFinite", e.what());
  } catch (const Error& e) {
    raise(class_name(e.code()), e.what());
  } catch (const Interrupted&) {
    if (!PyErr_Occurred()) PyErr_SetNone(PyExc_KeyboardInterrupt);
  }
}

}  // namespace

void set_python_error(const std::exception_ptr& error) noexcept {
  try {
    translate(error);
  } catch (py::error_already_set& e) {
    e.restore();
  } catch (const std::bad_alloc&) {
    PyErr_NoMemory();
  } catch (const std::exception& e) {
    PyErr_SetString(PyExc_RuntimeError, e.what());
  } catch (...) {
    PyErr_SetString(PyExc_RuntimeError, "unknown error");
  }
}

void set_python_error(ErrorCode code, const std::string& text) noexcept {
  try {
    raise(class_name(code), text.c_str());
  } catch (py::error_already_set& e) {
    e.restore();
  }
}

void register_errors(py::module_&) {
  py::register_exception_translator([](std::exception_ptr error) { translate(error); });
}

}  // namespace maas::bindings
