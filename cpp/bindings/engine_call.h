// What every call from Python into the engine's numeric code holds around its work, once.
#pragma once

#include <pybind11/pybind11.h>

#include <optional>

#include "maas/base/float_env.h"

namespace maas::bindings {

// Sets the floating-point word that result bits are promised for, and releases the GIL unless the work is
// too small to be worth it (about a microsecond). While the GIL is released no Python object may be touched.
// A scope that ends by an exception gives both back too.
class EngineCall {
 public:
  explicit EngineCall(bool release_gil = true) {
    if (release_gil) released_.emplace();
  }

 private:
  std::optional<pybind11::gil_scoped_release> released_;
  FloatEnv float_env_;
};

}  // namespace maas::bindings
