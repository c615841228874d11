// Packing rows into panels. Floor: reading the rows once from memory.
#include <benchmark/benchmark.h>

#include <vector>

#include "maas/kernels/panel.h"

namespace {

template <class T, class Out>
void BM_Pack(benchmark::State& state) {
  const size_t rows = 200000, cols = static_cast<size_t>(state.range(0)), block = 256;
  std::vector<T> x(rows * cols, T{1});
  const size_t ld = static_cast<size_t>(state.range(1));
  std::vector<Out> panel(cols * ld);
  const maas::MatrixView<T> view{x.data(), rows, cols, static_cast<ptrdiff_t>(cols), 1};
  for (auto _ : state) {
    for (size_t i = 0; i + block <= rows; i += block) {
      benchmark::DoNotOptimize(
          maas::pack_panel(view, i, block, static_cast<const Out*>(nullptr), panel.data(), ld));
    }
  }
  state.SetBytesProcessed(state.iterations() * static_cast<int64_t>(rows * cols * sizeof(T)));
}
BENCHMARK(BM_Pack<float, float>)->Args({20, 256})->Args({200, 272});
BENCHMARK(BM_Pack<double, double>)->Args({20, 256})->Args({200, 272});
BENCHMARK(BM_Pack<float, double>)->Args({20, 256})->Args({200, 272});

}  // namespace
