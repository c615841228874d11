// The one thread pool of the process. Work is cut into tasks whose number depends on the data alone; which
// thread runs a task is decided at run time (a shared counter), so a slow core delays one task, not a share.
// Results must be written to the task's own place and combined in task order afterwards.
#pragma once

#include <cstddef>
#include <type_traits>
#include <utility>

namespace maas {

// Threads that parallel_for may use, the caller included. Default: MAAS_NUM_THREADS or OMP_NUM_THREADS if
// set, else the least of affinity mask, cgroup quota and hardware threads.
int num_threads();
// n >= 1; throws InvalidArgument otherwise. Process-wide.
void set_num_threads(int n);

namespace detail {
using TaskFn = void (*)(void* context, size_t task, int worker);
void run_tasks(size_t tasks, TaskFn fn, void* context);
}  // namespace detail

// Runs fn(task, worker) for task in [0, tasks). `worker` is in [0, num_threads()) and never shared by two
// tasks at once: index per-thread scratch with it. Blocks until all are done; no allocation per task. Runs
// inline, in order, when one task or one thread is enough or when the pool is busy with another caller or a
// parent call (nesting is legal). The first exception of a task is rethrown here, the tasks not yet started
// are skipped. Polls the interrupt hook (base/interrupt.h) between the caller's tasks and throws Interrupted.
template <class Fn>
void parallel_for(size_t tasks, Fn&& fn) {
  using F = std::remove_reference_t<Fn>;
  detail::run_tasks(
      tasks, [](void* context, size_t task, int worker) { (*static_cast<F*>(context))(task, worker); },
      const_cast<void*>(static_cast<const void*>(&fn)));
}

}  // namespace maas
