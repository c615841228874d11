#include "module.h"

namespace maas::bindings {

void register_logistic(pybind11::module_&) {}

}  // namespace maas::bindings
