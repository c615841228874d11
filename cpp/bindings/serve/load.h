// The load generator as Python sees it.
#pragma once

#include <pybind11/pybind11.h>

namespace maas::bindings {

void bind_load_generator(pybind11::module_& module);

}  // namespace maas::bindings
