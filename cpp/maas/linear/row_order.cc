#include "maas/linear/row_order.h"

#include <algorithm>
#include <vector>

#include "maas/base/random.h"

namespace maas {

namespace {

constexpr size_t kCachedValues = size_t{1} << 18;
constexpr size_t kRunValues = 1024;
constexpr size_t kDealt = 64;  // runs

size_t run_rows(size_t rows, size_t cols) {
  return rows * cols <= kCachedValues ? 1 : std::clamp<size_t>(kRunValues / cols, 1, 16);
}

}  // namespace

void shuffle_rows(size_t rows, size_t cols, uint64_t seed, uint64_t epoch, uint32_t* order) {
  const size_t run = run_rows(rows, cols);
  if (run == 1) return random_permutation(seed, epoch, order, rows);
  const size_t runs = (rows + run - 1) / run;
  std::vector<uint32_t> place(runs);
  random_permutation(seed, epoch, place.data(), runs);
  for (size_t begin = 0; begin < runs; begin += kDealt) {
    const size_t end = std::min(begin + kDealt, runs);
    for (size_t i = 0; i < run; ++i) {
      for (size_t k = begin; k < end; ++k) {
        const size_t row = place[k] * run + i;
        if (row < rows) *order++ = static_cast<uint32_t>(row);  // the last run may be short
      }
    }
  }
}

}  // namespace maas
