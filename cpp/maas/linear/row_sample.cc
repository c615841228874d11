#include "maas/linear/row_sample.h"

#include <algorithm>

#include "maas/base/shards.h"
#include "maas/base/thread_pool.h"

namespace maas {
namespace {

// Rows far apart are beyond what the hardware foresees.
template <class T>
void prefetch_row(const MatrixView<T>& x, size_t i) {
  if (i >= x.rows || x.col_stride != 1) return;
  for (size_t j = 0; j < x.cols; j += 64 / sizeof(T)) __builtin_prefetch(x.at(i, j));
}

}  // namespace

size_t sample_rows(size_t rows, size_t columns, size_t outputs) {
  const size_t wanted = std::max<size_t>({4096, 40 * columns, rows / 32});
  const size_t work = std::max(64 * rows * columns, (size_t{1} << 24) / outputs);
  const size_t factor_work = columns * columns * columns / 3;
  const size_t affordable = work > factor_work ? (work - factor_work) / (columns * columns) : 0;
  return affordable < std::min(rows, 4 * columns) ? 0 : std::min({wanted, affordable, rows});
}

template <class T>
RowSample<T>::RowSample(const WeightedRows<T>& rows, size_t stride) : rows_(rows.sample(stride)) {
  const MatrixView<T> x = rows_.x;
  copy_ = AlignedBuffer<T>(x.rows * x.cols);
  const Shards shards = make_shards(x.rows, 64);
  parallel_for(shards.count(), [&](size_t shard, int) {
    for (size_t i = shards.begin(shard); i < shards.end(shard); ++i) {
      prefetch_row(x, i + 16);
      for (size_t j = 0; j < x.cols; ++j) copy_[i * x.cols + j] = x(i, j);
    }
  });
  rows_.x = {copy_.data(), x.rows, x.cols, static_cast<ptrdiff_t>(x.cols), 1};
}

template class RowSample<float>;
template class RowSample<double>;

}  // namespace maas
