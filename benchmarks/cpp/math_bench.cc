// Throughput of the own transcendental functions on arrays that stay in L1, in elements a second.
#include <benchmark/benchmark.h>

#include <vector>

#include "maas/kernels/elementwise.h"

namespace maas {
namespace {

template <class T, MapOp op>
void unary(benchmark::State& state) {
  constexpr size_t kSize = 2048;
  std::vector<T> x(kSize), out(kSize);
  for (size_t i = 0; i < kSize; ++i) x[i] = static_cast<T>(0.01 + 8.0 * i / kSize);
  for (auto _ : state) {
    map_arrays(op, kSize, x.data(), static_cast<const T*>(nullptr), out.data());
    benchmark::DoNotOptimize(out.data());
    benchmark::ClobberMemory();
  }
  state.SetItemsProcessed(state.iterations() * kSize);
}

BENCHMARK_TEMPLATE(unary, float, MapOp::kExp);
BENCHMARK_TEMPLATE(unary, double, MapOp::kExp);
BENCHMARK_TEMPLATE(unary, float, MapOp::kExpm1);
BENCHMARK_TEMPLATE(unary, double, MapOp::kExpm1);
BENCHMARK_TEMPLATE(unary, float, MapOp::kLog);
BENCHMARK_TEMPLATE(unary, double, MapOp::kLog);
BENCHMARK_TEMPLATE(unary, float, MapOp::kLog1p);
BENCHMARK_TEMPLATE(unary, double, MapOp::kLog1p);
BENCHMARK_TEMPLATE(unary, float, MapOp::kSigmoid);
BENCHMARK_TEMPLATE(unary, double, MapOp::kSigmoid);
BENCHMARK_TEMPLATE(unary, float, MapOp::kTanh);
BENCHMARK_TEMPLATE(unary, double, MapOp::kTanh);
BENCHMARK_TEMPLATE(unary, float, MapOp::kErf);
BENCHMARK_TEMPLATE(unary, double, MapOp::kErf);
BENCHMARK_TEMPLATE(unary, float, MapOp::kSoftplus);
BENCHMARK_TEMPLATE(unary, double, MapOp::kSoftplus);

}  // namespace
}  // namespace maas
