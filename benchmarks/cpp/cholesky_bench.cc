// Cholesky factorisation, one and two threads; flop/s counts n³/3.
#include <benchmark/benchmark.h>

#include <vector>

#include "maas/base/thread_pool.h"
#include "maas/linear/cholesky.h"

namespace maas {
namespace {

void Cholesky(benchmark::State& state) {
  const auto n = static_cast<size_t>(state.range(0));
  std::vector<double> a(n * n), u(n * n);
  for (size_t i = 0; i < n * n; ++i) a[i] = static_cast<double>(i * 2654435761u % 1000) / 1000;
  for (size_t i = 0; i < n; ++i) a[i * n + i] = static_cast<double>(n);
  set_num_threads(static_cast<int>(state.range(1)));
  for (auto _ : state) {
    state.PauseTiming();
    u = a;
    state.ResumeTiming();
    benchmark::DoNotOptimize(cholesky(u.data(), n, n));
  }
  const double flops = static_cast<double>(n) * static_cast<double>(n) * static_cast<double>(n) / 3;
  state.counters["flop/s"] = benchmark::Counter(flops, benchmark::Counter::kIsIterationInvariantRate);
}

BENCHMARK(Cholesky)
    ->ArgNames({"n", "threads"})
    ->ArgsProduct({{20, 200, 1000, 2000}, {1, 2}})
    ->UseRealTime()
    ->Unit(benchmark::kMicrosecond);

}  // namespace
}  // namespace maas
