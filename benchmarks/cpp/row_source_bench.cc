// A shuffled batch of 256 rows out of a table beyond the caches.
#include <benchmark/benchmark.h>

#include "maas/base/aligned.h"
#include "maas/base/random.h"
#include "maas/base/thread_pool.h"
#include "maas/nn/row_source.h"

namespace maas {
namespace {

constexpr size_t kTableValues = size_t{1} << 25, kBatch = 256;

template <class From>
void TakeRows(benchmark::State& state) {
  const auto cols = static_cast<size_t>(state.range(0));
  const size_t rows = kTableValues / cols;
  const bool by_columns = state.range(1) != 0;
  set_num_threads(static_cast<int>(state.range(2)));
  AlignedBuffer<From> table(kTableValues, From(1));
  std::vector<uint32_t> order(rows);
  random_permutation(1, 2, order.data(), rows);
  const auto size = static_cast<ptrdiff_t>(sizeof(From));
  const RowSource source{table.data(),
                         dtype_of<From>,
                         rows,
                         cols,
                         by_columns ? size : static_cast<ptrdiff_t>(cols) * size,
                         by_columns ? static_cast<ptrdiff_t>(rows) * size : size};
  AlignedBuffer<float> out(kBatch * row_stride<float>(cols));
  size_t at = 0;
  for (auto _ : state) {
    take_rows(source, order.data() + at, 0, BatchMatrix<float>{out.data(), kBatch, cols});
    at = at + 2 * kBatch <= rows ? at + kBatch : 0;
  }
  const auto bytes = static_cast<double>(kBatch * cols * sizeof(From));
  state.counters["bytes/s"] = benchmark::Counter(bytes, benchmark::Counter::kIsIterationInvariantRate);
}

void shapes(benchmark::internal::Benchmark* b) {
  b->ArgNames({"cols", "F", "threads"})->ArgsProduct({{1, 20, 100, 784}, {0, 1}, {1, 2}})->UseRealTime();
}
BENCHMARK(TakeRows<float>)->Apply(shapes);
BENCHMARK(TakeRows<double>)->Apply(shapes);

}  // namespace
}  // namespace maas
