// GFLOP/s of gemm and GB/s of gemv, one thread: square, small and narrow products of both types.
#include <benchmark/benchmark.h>

#include <vector>

#include "maas/base/thread_pool.h"
#include "maas/kernels/gemm.h"

namespace maas {
namespace {

template <class T>
std::vector<T> values(size_t size) {
  std::vector<T> out(size);
  for (size_t i = 0; i < size; ++i)
    out[i] = static_cast<T>(static_cast<double>(i * 2654435761u % 1000) / 500 - 1);
  return out;
}

template <class T>
MatrixView<T> row_major(const std::vector<T>& x, size_t rows, size_t cols) {
  return {x.data(), rows, cols, static_cast<ptrdiff_t>(cols), 1};
}

template <class T>
void Gemm(benchmark::State& state) {
  const size_t m = state.range(0), k = state.range(1), n = state.range(2);
  const auto a = values<T>(m * k), b = values<T>(k * n);
  std::vector<T> c(m * n);
  set_num_threads(1);
  for (auto _ : state) {
    gemm(row_major(a, m, k), row_major(b, k, n), c.data(), n);
    benchmark::DoNotOptimize(c.data());
    benchmark::ClobberMemory();
  }
  state.counters["flop/s"] =
      benchmark::Counter(2.0 * static_cast<double>(m * k * n), benchmark::Counter::kIsIterationInvariantRate);
}

template <class T>
void Gemv(benchmark::State& state) {
  const size_t m = state.range(0), k = state.range(1);
  const bool columns = state.range(2) != 0;
  const auto a = values<T>(m * k), w = values<T>(k);
  std::vector<T> y(m);
  set_num_threads(1);
  MatrixView<T> view = row_major(a, m, k);
  if (columns) view = row_major(a, k, m).transposed();
  for (auto _ : state) {
    gemv(view, VectorView<T>{w.data(), k, 1}, y.data());
    benchmark::DoNotOptimize(y.data());
    benchmark::ClobberMemory();
  }
  state.SetBytesProcessed(static_cast<int64_t>(state.iterations() * m * k * sizeof(T)));
}

void shapes(benchmark::internal::Benchmark* bench) {
  bench->ArgNames({"M", "K", "N"});
  for (const int n : {64, 128, 256, 512, 1024}) bench->Args({n, n, n});
  bench->Args({30, 64, 64})->Args({1, 64, 64})->Args({1000, 20, 20})->Args({1000, 64, 10});
}

void gemv_shapes(benchmark::internal::Benchmark* bench) {
  bench->ArgNames({"M", "K", "columns"});
  for (const int columns : {0, 1}) {
    bench->Args({1, 20, columns})->Args({65536, 20, columns})->Args({1000000, 20, columns});
    bench->Args({5000, 200, columns});
  }
}

BENCHMARK(Gemm<float>)->Apply(shapes);
BENCHMARK(Gemm<double>)->Apply(shapes);
BENCHMARK(Gemv<float>)->Apply(gemv_shapes);
BENCHMARK(Gemv<double>)->Apply(gemv_shapes);

}  // namespace
}  // namespace maas
