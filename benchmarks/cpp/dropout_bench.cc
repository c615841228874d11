// Dropout of batches in cache, one thread.
#include <benchmark/benchmark.h>

#include "maas/base/aligned.h"
#include "maas/base/thread_pool.h"
#include "maas/nn/dropout_layer.h"

namespace maas {
namespace {

template <class T>
void Dropout(benchmark::State& state) {
  const auto rows = static_cast<size_t>(state.range(0)), cols = static_cast<size_t>(state.range(1));
  AlignedBuffer<T> in(rows * row_stride<T>(cols), T(1)), out(rows * row_stride<T>(cols));
  LayerPass<T> pass;
  pass.in = {in.data(), rows, cols}, pass.out = {out.data(), rows, cols};
  const DropoutLayer<T> layer(0.5, 1);
  set_num_threads(1);
  for (auto _ : state) {
    layer.forward(pass);
    ++pass.step;
  }
  state.counters["ns/value"] =
      benchmark::Counter(1e-9 * static_cast<double>(rows * cols),
                         benchmark::Counter::kIsIterationInvariantRate | benchmark::Counter::kInvert);
}

BENCHMARK(Dropout<float>)->ArgNames({"rows", "cols"})->ArgsProduct({{1, 32, 256}, {10, 64, 512}});
BENCHMARK(Dropout<double>)->ArgNames({"rows", "cols"})->ArgsProduct({{1, 32, 256}, {10, 64, 512}});

}  // namespace
}  // namespace maas
