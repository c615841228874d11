// Steps of the optimizers on arenas in cache and beyond, one and two threads. Bytes count each array read and
// written once.
#include <benchmark/benchmark.h>

#include "maas/base/aligned.h"
#include "maas/base/thread_pool.h"
#include "maas/nn/optimizer.h"

namespace maas {
namespace {

void step(benchmark::State& state, const OptimizerOptions& options, double gradient_scale) {
  const auto n = static_cast<size_t>(state.range(0));
  const size_t slots = optimizer_slots(options).size();
  AlignedBuffer<float> arena(n * (2 + slots), 0.0f);
  for (size_t i = 0; i < n; ++i) {
    arena[i] = static_cast<float>(i * 2654435761u % 1000) / 1000 - 0.5f;
    arena[n + i] =
        static_cast<float>((i * 7 + 3) * 2654435761u % 1000) / 1000 * static_cast<float>(gradient_scale);
  }
  Optimizer<float> optimizer(options, {{0, n}}, arena.data(), arena.data() + n, arena.data() + 2 * n, n);
  optimizer.reset();
  set_num_threads(static_cast<int>(state.range(1)));
  for (auto _ : state) optimizer.step(1e-6);
  const size_t bytes = n * sizeof(float) * (3 + 2 * slots);
  state.counters["bytes/s"] =
      benchmark::Counter(static_cast<double>(bytes), benchmark::Counter::kIsIterationInvariantRate);
  state.counters["ns/value"] =
      benchmark::Counter(1e-9 * static_cast<double>(n),
                         benchmark::Counter::kIsIterationInvariantRate | benchmark::Counter::kInvert);
}

void Sgd(benchmark::State& state) { step(state, {.rule = OptimizerRule::kSgd}, 1); }
void Momentum(benchmark::State& state) { step(state, {.rule = OptimizerRule::kSgd, .momentum = 0.9}, 1); }
void Adam(benchmark::State& state) { step(state, {}, 1); }
void AdamWithoutGradient(benchmark::State& state) { step(state, {}, 0); }
void AdamClipped(benchmark::State& state) { step(state, {.weight_decay = 0.01, .global_clip_norm = 1}, 1); }
void Rmsprop(benchmark::State& state) { step(state, {.rule = OptimizerRule::kRmsprop}, 1); }

void sizes(benchmark::internal::Benchmark* b) {
  b->ArgNames({"n", "threads"})
      ->ArgsProduct({{1 << 10, 1 << 14, 1 << 17, 1 << 19, 1 << 24}, {1, 2}})
      ->UseRealTime();
}
BENCHMARK(Sgd)->Apply(sizes);
BENCHMARK(Momentum)->Apply(sizes);
BENCHMARK(Adam)->Apply(sizes);
BENCHMARK(AdamWithoutGradient)->Apply(sizes);
BENCHMARK(AdamClipped)->Apply(sizes);
BENCHMARK(Rmsprop)->Apply(sizes);

}  // namespace
}  // namespace maas
