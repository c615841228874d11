#include "maas/linear/tsqr.h"

#include <algorithm>
#include <vector>

#include "maas/base/shards.h"
#include "maas/base/thread_pool.h"
#include "maas/kernels/panel.h"

namespace maas {

TriangularFactor tsqr(size_t rows, size_t columns, const PackBlock& pack) {
  constexpr size_t kBlockBytes = 256 << 10;
  const size_t block_rows =
      std::clamp<size_t>(kBlockBytes / sizeof(double) / columns, 64, 512) / kPanelPad * kPanelPad;
  // A shard needs several times `columns` rows to be worth the merging of its factor.
  const size_t least = std::max<size_t>(1, 4 * columns / block_rows) * block_rows;
  const Shards shards = make_shards(rows, least, columns <= 64 ? 32 : 8);
  std::vector<TriangularFactor> factors;
  for (size_t k = 0; k < shards.count(); ++k) factors.emplace_back(columns);
  parallel_for(shards.count(), [&](size_t shard, int) {
    AlignedBuffer<double> block(columns * block_rows);
    for (size_t r = shards.begin(shard); r < shards.end(shard); r += block_rows) {
      const size_t n = std::min(block_rows, shards.end(shard) - r), ld = panel_ld(n);
      pack(r, n, block.data(), ld);
      factors[shard].absorb(block.data(), ld, ld);
    }
  });
  for (size_t step = 1; step < factors.size(); step *= 2) {
    for (size_t i = 0; i + step < factors.size(); i += 2 * step) factors[i].absorb(factors[i + step]);
  }
  return std::move(factors.front());
}

}  // namespace maas
