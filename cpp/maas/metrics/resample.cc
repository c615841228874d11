#include "maas/metrics/resample.h"

#include <algorithm>

#include "maas/base/error.h"
#include "maas/kernels/philox.h"
#include "maas/metrics/binomial.h"

namespace maas {
namespace {

// Each block of rows reads the sequence of its resample from a place of its own; block totals from 0 on.
uint64_t first_counter(size_t block) { return (uint64_t{block} + 1) << 32; }

constexpr size_t kBatch = 88;  // Philox blocks: 1056 draws, a little more than a block of rows usually gets
constexpr uint32_t kMask = Resampler::kRows - 1;
static_assert(Resampler::kRows == size_t{1} << 10, "a word is cut into three numbers of 10 bits");

}  // namespace

void random_multinomial(RandomStream& random, const uint64_t* sizes, size_t cells, uint64_t total,
                        uint64_t draws, uint64_t* out) {
  for (size_t k = 0; k < cells && draws > 0; ++k) {
    const uint64_t drawn =
        sizes[k] == total
            ? draws
            : random_binomial(random, draws, static_cast<double>(sizes[k]) / static_cast<double>(total));
    out[k] += drawn;
    draws -= drawn;
    total -= sizes[k];
  }
}

Resampler::Resampler(uint64_t seed, const std::vector<uint64_t>& strata) : seed_(seed) {
  for (const uint64_t size : strata) {
    if (size == 0 || size > INT32_MAX - rows_) throw_invalid("bootstrap", "expected 1 to 2^31 - 1 rows");
    stratum_blocks_.push_back(blocks_.size());
    const size_t end = rows_ + size;
    while (rows_ < end) {
      blocks_.push_back({rows_, std::min(kRows, end - rows_)});
      block_rows_.push_back(blocks_.back().rows);
      rows_ += blocks_.back().rows;
    }
  }
  stratum_blocks_.push_back(blocks_.size());
}

std::vector<uint64_t> Resampler::block_totals(uint64_t resample) const {
  std::vector<uint64_t> totals(blocks_.size());
  RandomStream random(seed_, resample);
  for (size_t s = 0; s + 1 < stratum_blocks_.size(); ++s) {
    const size_t first = stratum_blocks_[s], end = stratum_blocks_[s + 1];
    const uint64_t rows = blocks_[end - 1].begin + blocks_[end - 1].rows - blocks_[first].begin;
    random_multinomial(random, block_rows_.data() + first, end - first, rows, rows, totals.data() + first);
  }
  return totals;
}

void Resampler::count_rows(uint64_t resample, size_t block, uint64_t total, uint32_t* counts) const {
  const size_t rows = blocks_[block].rows;
  std::fill(counts, counts + rows, uint32_t{0});
  if (rows != kRows) {
    RandomStream random(seed_, resample, first_counter(block));
    for (uint64_t k = 0; k < total; ++k) counts[random.below(static_cast<uint32_t>(rows))] += 1;
    return;
  }
  uint32_t words[4 * kBatch];
  uint64_t counter = first_counter(block);
  for (uint64_t left = total; left > 0;) {
    const size_t draws = std::min<uint64_t>(left, 12 * kBatch);
    const size_t batch = (draws + 11) / 12;
    philox_words(seed_, resample, counter, batch, words);
    counter += batch;
    left -= draws;
    const uint32_t* word = words;
    size_t k = draws;
    for (; k >= 3; k -= 3, ++word) {
      counts[*word & kMask] += 1;
      counts[*word >> 10 & kMask] += 1;
      counts[*word >> 20 & kMask] += 1;
    }
    if (k > 0) counts[*word & kMask] += 1;
    if (k > 1) counts[*word >> 10 & kMask] += 1;
  }
}

}  // namespace maas
