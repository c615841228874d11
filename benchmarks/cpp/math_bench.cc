// Throughput of the own transcendental functions on arrays that stay in L1, in elements a second.
#include <benchmark/benchmark.h>

#include <vector>

#include "maas/kernels/elementwise.h"

namespace maas {
namespace {

template <class T, UnaryOp op>
void unary(benchmark::State& state) {
  constexpr size_t kSize = 2048;
  std::vector<T> x(kSize), out(kSize);
  for (size_t i = 0; i < kSize; ++i) x[i] = static_cast<T>(0.01 + 8.0 * i / kSize);
  for (auto _ : state) {
    map_unary(op, x.data(), kSize, out.data());
    benchmark::DoNotOptimize(out.data());
    benchmark::ClobberMemory();
  }
  state.SetItemsProcessed(state.iterations() * kSize);
}

BENCHMARK_TEMPLATE(unary, float, UnaryOp::kExp);
BENCHMARK_TEMPLATE(unary, double, UnaryOp::kExp);
BENCHMARK_TEMPLATE(unary, float, UnaryOp::kExpm1);
BENCHMARK_TEMPLATE(unary, double, UnaryOp::kExpm1);
BENCHMARK_TEMPLATE(unary, float, UnaryOp::kLog);
BENCHMARK_TEMPLATE(unary, double, UnaryOp::kLog);
BENCHMARK_TEMPLATE(unary, float, UnaryOp::kLog1p);
BENCHMARK_TEMPLATE(unary, double, UnaryOp::kLog1p);
BENCHMARK_TEMPLATE(unary, float, UnaryOp::kSigmoid);
BENCHMARK_TEMPLATE(unary, double, UnaryOp::kSigmoid);
BENCHMARK_TEMPLATE(unary, float, UnaryOp::kTanh);
BENCHMARK_TEMPLATE(unary, double, UnaryOp::kTanh);
BENCHMARK_TEMPLATE(unary, float, UnaryOp::kSoftplus);
BENCHMARK_TEMPLATE(unary, double, UnaryOp::kSoftplus);

}  // namespace
}  // namespace maas
