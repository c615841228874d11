// Weighted sums of a value of every row, with the same bits on any number of threads.
#pragma once

#include <vector>

#include "maas/base/shards.h"
#include "maas/base/thread_pool.h"
#include "maas/kernels/error_sums.h"
#include "maas/metrics/array_view.h"

namespace maas {

template <class Flags>
struct RowSum {
  double weight = 0;
  double value = 0;  // sum of weight * value
  Flags flags;
};

// values(begin, n, out, &flags) writes the values of rows [begin, begin + n), n <= kBlockRows. `weight` may
// be empty: every row then weighs 1. Fewer than inline_rows rows are summed on the calling thread.
template <class Flags, class Fn>
RowSum<Flags> sum_rows(size_t rows, const ArrayView& weight, size_t inline_rows, Fn&& values) {
  const Shards shards = make_shards(rows, rows <= inline_rows ? inline_rows : kBlockRows);
  std::vector<RowSum<Flags>> sums(shards.count());
  parallel_for(shards.count(), [&](size_t shard, int) {
    double out[kBlockRows], weight_block[kBlockRows];
    RowSum<Flags> mine;
    for (size_t begin = shards.begin(shard); begin < shards.end(shard); begin += kBlockRows) {
      const size_t n = std::min(kBlockRows, shards.end(shard) - begin);
      const double* w = weight ? read_doubles(weight, begin, n, weight_block) : nullptr;
      values(begin, n, out, &mine.flags);
      mine.weight += w ? sum_distance(w, 0.0, nullptr, n) : static_cast<double>(n);
      mine.value += sum_distance(out, 0.0, w, n);
    }
    sums[shard] = mine;
  });
  for (size_t step = 1; step < sums.size(); step *= 2) {
    for (size_t i = 0; i + step < sums.size(); i += 2 * step) {
      sums[i].weight += sums[i + step].weight;
      sums[i].value += sums[i + step].value;
      sums[i].flags.join(sums[i + step].flags);
    }
  }
  return sums.empty() ? RowSum<Flags>{} : sums[0];
}

}  // namespace maas
