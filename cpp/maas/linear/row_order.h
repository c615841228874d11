// The order in which an epoch of stochastic descent takes the rows.
#pragma once

#include <cstddef>
#include <cstdint>

namespace maas {

// Fills order[0..rows) with each row once, at random, as a function of (rows, cols, seed, epoch) alone.
//
// Data that fit a cache get a uniform permutation. Beyond that, where each row would be a miss of cache and
// of address translation, runs of up to 16 neighbouring rows (of some 1024 values) are put in random order
// and dealt: 64 runs at a time, one row of each in turn. So each row follows rows from random places, at half
// the cost.
void shuffle_rows(size_t rows, size_t cols, uint64_t seed, uint64_t epoch, uint32_t* order);

}  // namespace maas
