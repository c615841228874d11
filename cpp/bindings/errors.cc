// One translator: each C++ error becomes the Python class of the same meaning (python/maas_engine/errors.py).
#include "maas/base/error.h"
#include "module.h"

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

}  // namespace

void register_errors(py::module_&) {
  py::register_exception_translator([](std::exception_ptr error) {
    try {
      if (error) std::rethrow_exception(error);
    } catch (const NotFinite& e) {
      raise("NotFinite", e.what());
    } catch (const Error& e) {
      raise(class_name(e.code()), e.what());
    } catch (const Interrupted&) {
      if (!PyErr_Occurred()) PyErr_SetNone(PyExc_KeyboardInterrupt);
    }
  });
}

}  // namespace maas::bindings
