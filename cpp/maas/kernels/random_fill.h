// Arrays of random numbers: number i is made of words 2 i and 2 i + 1 of the Philox sequence (seed, stream),
// so each is the same on every machine with FMA, whatever the number of threads.
#pragma once

#include <cstddef>
#include <cstdint>

namespace maas {

// In [0, 1), multiples of 2^-53: what RandomStream::uniform gives. Over the pool where long.
void random_uniform(uint64_t seed, uint64_t stream, size_t n, double* out);
// Mean 0, standard deviation 1, within 8.3: the quantile of a number in (0, 1). Over the pool where long.
void random_normal(uint64_t seed, uint64_t stream, size_t n, double* out);

// out[i] = the x below which a share p[i] of the normal distribution lies; 0 < p < 1, else NaN. Relative
// error below 2e-15 (Wichura, "The percentage points of the normal distribution", AS 241, 1988). `out` may be
// p. One thread.
void normal_quantiles(size_t n, const double* p, double* out);

}  // namespace maas
