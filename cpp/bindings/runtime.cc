// The process-wide switches: threads, SIMD target, seeds and Ctrl-C.
#include <pthread.h>
#include <pybind11/stl.h>

#include <algorithm>
#include <atomic>

#include "maas/base/cpu.h"
#include "maas/base/interrupt.h"
#include "maas/base/numerics.h"
#include "maas/base/random.h"
#include "maas/base/thread_count.h"
#include "maas/base/thread_pool.h"
#include "maas/kernels/target.h"
#include "module.h"

namespace py = pybind11;

// What threadpoolctl finds in this library (python/maas_engine/_threadpoolctl.py). C callers get no
// exceptions: a count out of range is brought into it.
extern "C" {
__attribute__((visibility("default"))) int maas_get_num_threads() { return maas::num_threads(); }
__attribute__((visibility("default"))) void maas_set_num_threads(int n) {
  maas::set_num_threads(std::clamp(n, 1, maas::kMaxThreads));
}
__attribute__((visibility("default"))) const char* maas_get_version() { return MAAS_VERSION; }
}

namespace maas::bindings {

namespace {

// Python runs signal handlers on its main thread only, so no other thread need wait for the GIL to ask.
std::atomic<pthread_t> python_main_thread{};

bool signal_raised() {
  if (!pthread_equal(pthread_self(), python_main_thread.load())) return false;
  const py::gil_scoped_acquire gil;
  return PyErr_CheckSignals() != 0;  // the handler's exception stays set; bindings/errors.cc lets it through
}

void watch_signals() {
  const auto main_ident = py::module_::import("threading").attr("main_thread")().attr("ident");
  python_main_thread = reinterpret_cast<pthread_t>(main_ident.cast<uintptr_t>());
  // In a forked child the thread that forked becomes Python's main thread.
  pthread_atfork(nullptr, nullptr, [] { python_main_thread = pthread_self(); });
  set_interrupt_hook(&signal_raised);
}

py::dict cpu_facts_dict() {
  const CpuFacts facts = cpu_facts();
  py::dict out;
  out["model"] = facts.model;
  out["hardware_threads"] = facts.hardware_threads;
  out["cores"] = facts.cores;
  out["affinity"] = facts.affinity;
  out["cgroup_quota"] = facts.cgroup_quota;
  out["l1d_bytes"] = facts.l1d_bytes;
  out["l2_bytes"] = facts.l2_bytes;
  out["l3_bytes"] = facts.l3_bytes;
  return out;
}

// The index-th of the seeds that follow from one.
uint64_t derived_seed(uint64_t seed, uint64_t index) {
  const PhiloxBlock block = random_block(seed, 0, index);
  return uint64_t{block[1]} << 32 | block[0];
}

}  // namespace

void register_runtime(py::module_& m) {
  m.attr("NUMERICS") = kNumerics;
  m.def("num_threads", &num_threads);
  m.def("set_num_threads", &set_num_threads);
  m.def("active_target", &active_target);
  m.def("supported_targets", &supported_targets);
  m.def("set_target", &set_target);
  m.def("target_has_fma", &target_has_fma);
  m.def("cpu_facts", &cpu_facts_dict);
  m.def("derived_seed", &derived_seed);
  watch_signals();
}

}  // namespace maas::bindings
