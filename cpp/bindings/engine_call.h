// What every call from Python into the engine's numeric code holds around its work, once.
#pragma once

#include <pybind11/pybind11.h>

#include "maas/base/float_env.h"

namespace maas::bindings {

// Releases the GIL and sets the floating-point word that result bits are promised for. No Python object may
// be touched while it lives; scopes that end by an exception give both back too.
class EngineCall {
 private:
  pybind11::gil_scoped_release release_;
  FloatEnv float_env_;
};

}  // namespace maas::bindings
