#include "maas/base/thread_pool.h"

namespace maas {

int num_threads() { return 1; }
void set_num_threads(int) {}

void detail::run_tasks(size_t tasks, TaskFn fn, void* context) {
  for (size_t task = 0; task < tasks; ++task) fn(context, task, 0);
}

}  // namespace maas
