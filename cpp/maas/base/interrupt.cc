#include "maas/base/interrupt.h"

namespace maas {

void set_interrupt_hook(InterruptHook) {}
void poll_interrupt() {}

}  // namespace maas
