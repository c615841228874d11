// Random numbers addressed by (seed, stream): for initial weights and the order of rows.
#include "maas/base/random.h"

#include <pybind11/numpy.h>

#include "engine_call.h"
#include "maas/kernels/random_fill.h"
#include "module.h"

namespace py = pybind11;

namespace maas::bindings {
namespace {

// fill(seed, stream, n, out) over a new array.
template <class T, class Fill>
py::array_t<T> drawn(uint64_t seed, uint64_t stream, size_t n, Fill fill) {
  py::array_t<T> out(static_cast<py::ssize_t>(n));
  T* values = out.mutable_data();
  const EngineCall call;
  fill(seed, stream, n, values);
  return out;
}

py::array_t<double> uniform(uint64_t seed, uint64_t stream, size_t n) {
  return drawn<double>(seed, stream, n, random_uniform);
}
py::array_t<double> normal(uint64_t seed, uint64_t stream, size_t n) {
  return drawn<double>(seed, stream, n, random_normal);
}
py::array_t<uint32_t> permutation(uint64_t seed, uint64_t stream, size_t n) {
  return drawn<uint32_t>(seed, stream, n, [](uint64_t key, uint64_t which, size_t count, uint32_t* out) {
    random_permutation(key, which, out, count);
  });
}

}  // namespace

void register_random(py::module_& m) {
  m.def("random_uniform", &uniform);
  m.def("random_normal", &normal);
  m.def("random_permutation", &permutation);
}

}  // namespace maas::bindings
