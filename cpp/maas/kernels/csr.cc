#include "maas/kernels/csr.h"

#include <algorithm>
#include <atomic>
#include <vector>

#include "maas/base/shards.h"
#include "maas/base/thread_pool.h"

namespace maas {
namespace {

// One row of a view.
template <class T>
struct Row {
  Row(const CsrView<T>& x, size_t i)
      : values(x.values + x.starts[i]),
        columns(x.columns + x.starts[i]),
        count(static_cast<size_t>(x.starts[i + 1] - x.starts[i])) {}
  const T* values;
  const int32_t* columns;
  size_t count;
};

}  // namespace

template <class T>
void csr_scores(const CsrView<T>& x, const T* coef, size_t outputs, const T* bias, T* scores) {
  constexpr size_t kWorkOfTask = size_t{1} << 15;  // products: some 20 microseconds
  const size_t work = x.nonzeros() * outputs + x.rows;
  const Shards shards = make_shards(x.rows, 1, std::clamp<size_t>(work / kWorkOfTask, 1, 64));
  parallel_for(shards.count(), [&](size_t shard, int) {
    for (size_t i = shards.begin(shard); i < shards.end(shard); ++i) {
      const Row<T> row(x, i);
      for (size_t o = 0; o < outputs; ++o) {
        const double sum = csr_dot(row.values, row.columns, row.count, coef + o * x.cols);
        scores[i * outputs + o] = static_cast<T>(sum + static_cast<double>(bias[o]));
      }
    }
  });
}

template <class T>
void csr_margins(const CsrView<T>& x, const double* w, size_t outputs, const double* bias, double* z,
                 size_t ld) {
  if (outputs == 1) {
    for (size_t i = 0; i < x.rows; ++i) {
      const Row<T> row(x, i);
      z[i] = csr_dot(row.values, row.columns, row.count, w) + bias[0];
    }
    return;
  }
  std::vector<double> sums(outputs);
  for (size_t i = 0; i < x.rows; ++i) {
    const Row<T> row(x, i);
    std::fill(sums.begin(), sums.end(), 0.0);
    for (size_t k = 0; k < row.count; ++k) {
      const double* const from = w + static_cast<size_t>(row.columns[k]) * outputs;
      const auto value = static_cast<double>(row.values[k]);
      for (size_t o = 0; o < outputs; ++o) sums[o] += value * from[o];
    }
    for (size_t o = 0; o < outputs; ++o) z[o * ld + i] = sums[o] + bias[o];
  }
}

template <class T>
void csr_accumulate(const CsrView<T>& x, const double* r, size_t ld, size_t outputs, double* sums) {
  if (outputs == 1) {
    for (size_t i = 0; i < x.rows; ++i) {
      const Row<T> row(x, i);
      csr_add(r[i], row.values, row.columns, row.count, sums);
    }
    return;
  }
  std::vector<double> of_row(outputs);
  for (size_t i = 0; i < x.rows; ++i) {
    const Row<T> row(x, i);
    for (size_t o = 0; o < outputs; ++o) of_row[o] = r[o * ld + i];
    for (size_t k = 0; k < row.count; ++k) {
      double* const into = sums + static_cast<size_t>(row.columns[k]) * outputs;
      const auto value = static_cast<double>(row.values[k]);
      for (size_t o = 0; o < outputs; ++o) into[o] += of_row[o] * value;
    }
  }
}

template <class T>
bool csr_finite(const CsrView<T>& x) {
  if (x.nonzeros() == 0) return true;
  const T* const values = x.values + x.starts[0];
  const Shards shards = make_shards(x.nonzeros(), size_t{1} << 15);
  std::atomic<bool> finite{true};
  parallel_for(shards.count(), [&](size_t shard, int) {
    T zero[8] = {};  // stay 0 while all values are finite
    size_t k = shards.begin(shard);
    for (; k + 8 <= shards.end(shard); k += 8) {
      for (size_t lane = 0; lane < 8; ++lane) zero[lane] += values[k + lane] * T(0);
    }
    for (; k < shards.end(shard); ++k) zero[0] += values[k] * T(0);
    for (const T lane : zero) {
      if (!(lane == T(0))) finite = false;
    }
  });
  return finite;
}

#define MAAS_DEFINE_CSR(T)                                                                             \
  template void csr_scores(const CsrView<T>&, const T*, size_t, const T*, T*);                         \
  template void csr_margins(const CsrView<T>&, const double*, size_t, const double*, double*, size_t); \
  template void csr_accumulate(const CsrView<T>&, const double*, size_t, size_t, double*);             \
  template bool csr_finite(const CsrView<T>&);
MAAS_DEFINE_CSR(float)
MAAS_DEFINE_CSR(double)

}  // namespace maas
