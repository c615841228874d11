// Lets a long fit be stopped. The binding installs a hook (Python: PyErr_CheckSignals on the main thread);
// loops poll it at most every 20 ms.
#pragma once

namespace maas {

// Returns true when work should stop. May be called from the thread that called into the engine only.
using InterruptHook = bool (*)();
void set_interrupt_hook(InterruptHook hook);

// Cheap (one clock read). Throws Interrupted when the hook says so. Call between passes and inside serial
// loops that can last longer than 20 ms; parallel_for calls it by itself.
void poll_interrupt();

// While one lives, poll_interrupt() on this thread does nothing: for work that must not stop half way.
class HoldInterrupts {
 public:
  HoldInterrupts();
  ~HoldInterrupts();
  HoldInterrupts(const HoldInterrupts&) = delete;
  HoldInterrupts& operator=(const HoldInterrupts&) = delete;
};

}  // namespace maas
