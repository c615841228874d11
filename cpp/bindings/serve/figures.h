// A server's figures as Python has them.
#pragma once

#include <pybind11/pybind11.h>

#include "maas/serve/counters.h"

namespace maas::bindings {

pybind11::dict as_dict(const serve::Figures& figures);

}  // namespace maas::bindings
