// Binomial random numbers: exact, from the counter-based generator, without libm.
#pragma once

#include <cstdint>

#include "maas/base/random.h"

namespace maas {

// How many of n independent trials of probability p succeed. p in [0, 1], n < 2^53. By inversion where
// min(p, 1 - p) n < 10, else by Hörmann's transformed rejection with squeeze ("The generation of binomial
// random variates", 1993, algorithm BTRS). About 30 ns.
uint64_t random_binomial(RandomStream& random, uint64_t n, double p);

}  // namespace maas
