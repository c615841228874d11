#include <pybind11/stl.h>

#include "maas/base/thread_pool.h"
#include "maas/kernels/target.h"
#include "module.h"

namespace maas::bindings {

void register_runtime(pybind11::module_& m) {
  m.def("num_threads", &num_threads);
  m.def("set_num_threads", &set_num_threads);
  m.def("active_target", &active_target);
  m.def("supported_targets", &supported_targets);
  m.def("set_target", &set_target);
}

}  // namespace maas::bindings
