// What all metric states have in Python.
#pragma once

#include <pybind11/pybind11.h>

#include <string>

#include "engine_call.h"
#include "maas/metrics/state_bytes.h"

namespace maas::bindings {

template <class State>
pybind11::class_<State> state_class(pybind11::module_& m, const char* name) {
  namespace py = pybind11;
  return py::class_<State>(m, name)
      .def(py::init<std::string>())
      .def_property_readonly_static("TYPE_ID", [](const py::object&) { return State::kTypeId; })
      .def_property_readonly("config", &State::config)
      .def("merge", &State::merge, py::call_guard<EngineCall>())
      .def("to_bytes", [](const State& state) { return py::bytes(state_to_bytes(state)); })
      .def_static("from_bytes", [](const py::bytes& bytes) {
        return state_from_bytes<State>(static_cast<std::string_view>(bytes));
      });
}

}  // namespace maas::bindings
