#include "maas/nn/embedding_layer.h"

#include <algorithm>

#include "maas/base/shards.h"
#include "maas/base/thread_pool.h"
#include "maas/kernels/scatter_rows.h"

namespace maas {
namespace {

constexpr size_t kTaskValues = size_t{1} << 18;  // moved by a task: some 50 µs
constexpr size_t kMaxTasks = 8;                  // each task of a scatter reads all indices

Shards blocks_of(size_t rows, size_t cols) {
  return make_shards(rows, std::max<size_t>(1, kTaskValues / std::max<size_t>(1, cols)), kMaxTasks);
}

}  // namespace

template <class T>
void EmbeddingLayer<T>::forward(const LayerPass<T>& pass) const {
  const Shards blocks = blocks_of(pass.out.rows, cols_);
  parallel_for(blocks.count(), [&](size_t block, int) {
    const size_t begin = blocks.begin(block), n = blocks.end(block) - begin;
    gather_rows(table_.value, cols_, pass.indices + begin, n, pass.out.row(begin), pass.out.ld());
  });
}

// Tasks own rows of the table and go through the whole batch, so every sum has the batch's order.
template <class T>
void EmbeddingLayer<T>::backward(const LayerPass<T>& pass) const {
  if (!table_.gradient) return;
  const BatchMatrix<T>& dy = pass.out_gradient;
  const size_t moved = (dy.rows + (pass.accumulate ? 0 : rows_)) * cols_;
  const size_t tasks = std::clamp<size_t>(moved / kTaskValues, 1, std::clamp<size_t>(rows_, 1, kMaxTasks));
  const Shards blocks{rows_, (rows_ + tasks - 1) / tasks};
  parallel_for(blocks.count(), [&](size_t block, int) {
    const size_t begin = blocks.begin(block), end = blocks.end(block);
    if (!pass.accumulate) std::fill(table_.gradient + begin * cols_, table_.gradient + end * cols_, T(0));
    scatter_add_rows(dy.data, dy.ld(), pass.indices, dy.rows, begin, end, table_.gradient, cols_);
  });
}

template class EmbeddingLayer<float>;
template class EmbeddingLayer<double>;

}  // namespace maas
