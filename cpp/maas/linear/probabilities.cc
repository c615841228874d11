#include "maas/linear/probabilities.h"

#include <algorithm>
#include <array>

#include "maas/base/shards.h"
#include "maas/base/thread_pool.h"
#include "maas/kernels/elementwise.h"
#include "maas/kernels/softmax.h"

namespace maas {
namespace {

constexpr size_t kRows = 256;  // a block

// Both probabilities from the margin itself: 1 - p would lose the small one.
template <class T>
void two_classes(MatrixView<T> scores, bool log, T* out) {
  std::array<T, kRows> z, p;
  for (const size_t k : {0, 1}) {
    // The logarithm of sigmoid(z) is -softplus(-z).
    const T sign = (k == 1) == log ? T(-1) : T(1);
    for (size_t i = 0; i < scores.rows; ++i) z[i] = sign * scores(i, 0);
    map_arrays(log ? MapOp::kSoftplus : MapOp::kSigmoid, scores.rows, z.data(), nullptr, p.data());
    for (size_t i = 0; i < scores.rows; ++i) out[2 * i + k] = log ? -p[i] : p[i];
  }
}

template <class T>
void many_classes(MatrixView<T> scores, bool log, T* out) {
  for (size_t i = 0; i < scores.rows; ++i) {
    for (size_t k = 0; k < scores.cols; ++k) out[i * scores.cols + k] = scores(i, k);
  }
  map_rows(log ? RowOp::kLogSoftmax : RowOp::kSoftmax, out, scores.rows, scores.cols, scores.cols, out,
           scores.cols);
}

}  // namespace

template <class T>
void class_probabilities(MatrixView<T> scores, bool log, T* out) {
  const size_t classes = std::max<size_t>(2, scores.cols);
  const size_t shards_wanted = std::clamp<size_t>(scores.rows * classes >> 15, 1, 64);
  const Shards shards = make_shards(scores.rows, kRows, shards_wanted);
  parallel_for(shards.count(), [&](size_t shard, int) {
    for (size_t begin = shards.begin(shard); begin < shards.end(shard); begin += kRows) {
      const auto block = scores.row_range(begin, std::min(begin + kRows, shards.end(shard)));
      T* const to = out + begin * classes;
      scores.cols == 1 ? two_classes(block, log, to) : many_classes(block, log, to);
    }
  });
}

template <class T>
void exponentials(VectorView<T> scores, T* out) {
  const Shards shards = make_shards(scores.size, kRows, std::clamp<size_t>(scores.size >> 15, 1, 64));
  parallel_for(shards.count(), [&](size_t shard, int) {
    const size_t begin = shards.begin(shard), end = shards.end(shard);
    for (size_t i = begin; i < end; ++i) out[i] = scores[i];
    map_arrays(MapOp::kExp, end - begin, out + begin, nullptr, out + begin);
  });
}

template void exponentials(VectorView<float>, float*);
template void exponentials(VectorView<double>, double*);
template void class_probabilities(MatrixView<float>, bool, float*);
template void class_probabilities(MatrixView<double>, bool, double*);

}  // namespace maas
