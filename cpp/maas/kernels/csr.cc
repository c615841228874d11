#include "maas/kernels/csr.h"

#include <algorithm>

#include "maas/base/shards.h"
#include "maas/base/thread_pool.h"

namespace maas {

template <class T>
void csr_scores(const CsrView<T>& x, const T* coef, size_t outputs, const T* bias, T* scores) {
  constexpr size_t kWorkOfTask = size_t{1} << 15;  // products: some 20 microseconds
  const size_t work = x.nonzeros() * outputs + x.rows;
  const Shards shards = make_shards(x.rows, 1, std::clamp<size_t>(work / kWorkOfTask, 1, 64));
  parallel_for(shards.count(), [&](size_t shard, int) {
    for (size_t i = shards.begin(shard); i < shards.end(shard); ++i) {
      const auto begin = static_cast<size_t>(x.starts[i]);
      const size_t count = static_cast<size_t>(x.starts[i + 1]) - begin;
      for (size_t o = 0; o < outputs; ++o) {
        const double sum = csr_dot(x.values + begin, x.columns + begin, count, coef + o * x.cols);
        scores[i * outputs + o] = static_cast<T>(sum + static_cast<double>(bias[o]));
      }
    }
  });
}

template void csr_scores(const CsrView<float>&, const float*, size_t, const float*, float*);
template void csr_scores(const CsrView<double>&, const double*, size_t, const double*, double*);

}  // namespace maas
