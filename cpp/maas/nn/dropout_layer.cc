#include "maas/nn/dropout_layer.h"

#include <algorithm>

#include "maas/base/shards.h"
#include "maas/base/thread_pool.h"
#include "maas/kernels/dropout.h"

namespace maas {
namespace {

// Some 15 µs of one thread.
constexpr size_t kTaskValues = 65536;
// Streams of dropouts are told from those of shuffles and initial weights by their upper half.
constexpr uint64_t kDropoutStreams = uint64_t{0x64726F70} << 32;

}  // namespace

// A small batch needs few of its words; 2^32 blocks are more than a batch can have.
template <class T>
void DropoutLayer<T>::apply(const LayerPass<T>& pass, BatchMatrix<T> in, BatchMatrix<T> out) const {
  if (in.rows == 0 || in.cols == 0) return;
  const DropoutMask mask{
      .seed = pass.seed,
      .stream = kDropoutStreams | stream_,
      .counter = pass.step << 32,
      .threshold = static_cast<uint32_t>(std::min(rate_ * 0x1p32 + 0.5, 0x1p32 - 1)),
  };
  const T scale = static_cast<T>(1 / (1 - rate_));
  const Shards shards = make_shards(in.rows, std::max<size_t>(1, kTaskValues / in.cols));
  parallel_for(shards.count(), [&](size_t shard, int) {
    const size_t first = shards.begin(shard), rows = shards.end(shard) - first;
    dropout_rows(mask, scale, first, rows, in.cols, in.ld(), in.row(first), out.row(first));
  });
}

template <class T>
void DropoutLayer<T>::forward(const LayerPass<T>& pass) const {
  apply(pass, pass.in, pass.out);
}

template <class T>
void DropoutLayer<T>::backward(const LayerPass<T>& pass) const {
  if (pass.in_gradient) apply(pass, pass.out_gradient, pass.in_gradient);
}

template class DropoutLayer<float>;
template class DropoutLayer<double>;

}  // namespace maas
