#include "maas/program/draft.h"

namespace maas {

void fuse(Draft& draft) { (void)draft; }

}  // namespace maas
