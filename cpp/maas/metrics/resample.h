// Rows drawn with replacement, as how often each row is drawn. A resample is a function of (seed, its number)
// and of the rows' numbers alone, whoever asks for which part of it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "maas/base/random.h"

namespace maas {

// Draws `draws` times from cells of the given sizes; out[k] += how often cell k, for sizes that sum to
// `total` > 0. Exact: one binomial a cell, given those before it.
void random_multinomial(RandomStream& random, const uint64_t* sizes, size_t cells, uint64_t total,
                        uint64_t draws, uint64_t* out);

// Rows lie stratum by stratum; as many are drawn from each stratum as it has. Rows are drawn by blocks: first
// how many from each block, then which of its rows, so that counts of a block are made where they are used.
class Resampler {
 public:
  static constexpr size_t kRows = 1024;  // of a block, but for the last of a stratum

  struct Block {
    size_t begin, rows;
  };

  // Strata of at least one row each, fewer than 2^31 rows in all.
  Resampler(uint64_t seed, const std::vector<uint64_t>& strata);

  size_t rows() const { return rows_; }
  const std::vector<Block>& blocks() const { return blocks_; }

  // How many rows of each block resample number `resample` has.
  std::vector<uint64_t> block_totals(uint64_t resample) const;
  // counts[i] = how often row i of the block is drawn, for `total` draws from it.
  void count_rows(uint64_t resample, size_t block, uint64_t total, uint32_t* counts) const;

 private:
  uint64_t seed_;
  size_t rows_ = 0;
  std::vector<Block> blocks_;
  std::vector<uint64_t> block_rows_;    // of each block
  std::vector<size_t> stratum_blocks_;  // the first block of each stratum, and the end
};

}  // namespace maas
