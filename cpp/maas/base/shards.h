// How rows are cut so that a sum has the same bits on any number of threads: the cut depends on the data's
// shape alone, each shard adds into its own accumulator, and the accumulators meet in one fixed tree.
#pragma once

#include <algorithm>
#include <cstddef>

namespace maas {

struct Shards {
  size_t rows = 0;
  size_t shard_rows = 1;  // every shard but the last has this many

  size_t count() const { return (rows + shard_rows - 1) / shard_rows; }
  size_t begin(size_t shard) const { return shard * shard_rows; }
  size_t end(size_t shard) const { return std::min(rows, begin(shard) + shard_rows); }
};

// At most `max_shards` shards, each a whole number of `block_rows` blocks (but the last block of the last).
inline Shards make_shards(size_t rows, size_t block_rows, size_t max_shards = 64) {
  const size_t blocks = (rows + block_rows - 1) / block_rows;
  const size_t per_shard = std::max<size_t>(1, (blocks + max_shards - 1) / max_shards);
  return {rows, per_shard * block_rows};
}

// Adds `count` accumulators of `size` doubles, laid side by side, into the first: ((0+1)+(2+3))+...
inline void combine_tree(double* accumulators, size_t count, size_t size) {
  for (size_t step = 1; step < count; step *= 2) {
    for (size_t i = 0; i + step < count; i += 2 * step) {
      double* into = accumulators + i * size;
      const double* from = accumulators + (i + step) * size;
      for (size_t k = 0; k < size; ++k) into[k] += from[k];
    }
  }
}

}  // namespace maas
