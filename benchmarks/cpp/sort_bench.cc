// Sorting n scores in [0, 1): keys alone and with positions. Items a second; one copy of the keys is
// included.
#include <benchmark/benchmark.h>

#include <cmath>
#include <random>
#include <vector>

#include "maas/base/thread_pool.h"
#include "maas/kernels/sort.h"

namespace maas {
namespace {

template <class T>
std::vector<T> scores(size_t n, bool logits) {
  std::mt19937_64 random(1);
  std::vector<T> keys(n);
  for (T& key : keys) {
    const double p = std::ldexp(static_cast<double>(random() >> 11) + 0.5, -53);
    key = static_cast<T>(logits ? std::log(p / (1 - p)) : p);
  }
  return keys;
}

template <class T, bool kLogits>
void keys_only(benchmark::State& state) {
  set_num_threads(static_cast<int>(state.range(1)));
  const std::vector<T> keys = scores<T>(static_cast<size_t>(state.range(0)), kLogits);
  std::vector<T> sorted;
  for (auto _ : state) {
    sorted = keys;
    sort_keys(sorted.data(), sorted.size());
  }
  state.SetItemsProcessed(state.iterations() * state.range(0));
}

template <class T, bool kLogits>
void with_positions(benchmark::State& state) {
  set_num_threads(static_cast<int>(state.range(1)));
  const std::vector<T> keys = scores<T>(static_cast<size_t>(state.range(0)), kLogits);
  std::vector<uint32_t> index(keys.size());
  for (auto _ : state) argsort(keys.data(), keys.size(), SortOrder::kDescending, index.data());
  state.SetItemsProcessed(state.iterations() * state.range(0));
}

void sizes(benchmark::internal::Benchmark* bench) {
  bench->ArgNames({"n", "threads"})->Unit(benchmark::kMicrosecond)->UseRealTime();
  bench->Args({100, 1})->Args({10000, 1})->Args({1000000, 1})->Args({1000000, 2})->Args({10000000, 1});
}
BENCHMARK_TEMPLATE(keys_only, float, false)->Apply(sizes);
BENCHMARK_TEMPLATE(keys_only, double, false)->Apply(sizes);
BENCHMARK_TEMPLATE(keys_only, double, true)->Apply(sizes);
BENCHMARK_TEMPLATE(with_positions, float, false)->Apply(sizes);
BENCHMARK_TEMPLATE(with_positions, double, false)->Apply(sizes);
BENCHMARK_TEMPLATE(with_positions, double, true)->Apply(sizes);

}  // namespace
}  // namespace maas
