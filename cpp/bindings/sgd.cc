#include "module.h"

namespace maas::bindings {

void register_sgd(pybind11::module_&) {}

}  // namespace maas::bindings
