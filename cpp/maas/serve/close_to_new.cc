#include "maas/serve/close_to_new.h"

#ifdef __linux__
#include <linux/filter.h>
#include <sys/socket.h>

#include <iterator>
#endif

namespace maas::serve {

void close_to_new([[maybe_unused]] int listening) {
#ifdef __linux__
  // Segments with SYN, a flag in their 14th byte, are dropped. Whoever sends one does so again a second
  // later, and finds the socket closed.
  sock_filter steps[] = {BPF_STMT(BPF_LD | BPF_B | BPF_ABS, 13),
                         BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, 0x02, 0, 1), BPF_STMT(BPF_RET | BPF_K, 0),
                         BPF_STMT(BPF_RET | BPF_K, 0xffffffff)};
  const sock_fprog program = {static_cast<unsigned short>(std::size(steps)), steps};
  setsockopt(listening, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof(program));
#endif
}

}  // namespace maas::serve
