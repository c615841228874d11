// Where values lie in the scratch, and how many rows go through the steps at a time.
#pragma once

#include <cstddef>
#include <vector>

namespace maas {

// A value in the scratch, or the workspace of a step, needed from step `first` to step `last`, both included.
struct Lifetime {
  size_t bytes = 0;  // of the largest block
  size_t first = 0, last = 0;
};

struct Placement {
  std::vector<size_t> offsets;  // multiples of 64; values alive at the same time do not overlap
  size_t bytes = 0;
};

// First fit, the largest first.
Placement place(const std::vector<Lifetime>& values);

// Most bytes alive at a time.
size_t peak_bytes(const std::vector<Lifetime>& values);

// Rows of a block, from the bytes of a row that are alive at a time: few enough to stay in the second-level
// cache beside the weights, enough to make little of a step's own costs.
size_t choose_block_rows(size_t row_bytes);

}  // namespace maas
