// How a listening socket ends without a client's loss.
#pragma once

namespace maas::serve {

// Lets no connection begin at a listening socket; those that have begun are there to be accepted. Closed
// alone, it would reset a client that connected behind the last accept(). Does nothing but on Linux.
void close_to_new(int listening);

}  // namespace maas::serve
