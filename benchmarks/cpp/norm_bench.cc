// Normalisations in training: one batch forward and backward.
#include <benchmark/benchmark.h>

#include <memory>

#include "maas/base/aligned.h"
#include "maas/base/thread_pool.h"
#include "maas/nn/norm_layer.h"

namespace maas {
namespace {

template <class T, bool kBatch>
void NormStep(benchmark::State& state) {
  const auto rows = static_cast<size_t>(state.range(0)), cols = static_cast<size_t>(state.range(1));
  set_num_threads(static_cast<int>(state.range(2)));
  const size_t ld = row_stride<T>(cols);
  AlignedBuffer<T> parameters(6 * ld, T(1)), x(rows * ld), y(rows * ld), dy(rows * ld, T(1)), dx(rows * ld);
  for (size_t i = 0; i < rows * ld; ++i) x[i] = static_cast<T>(i * 7919 % 1000) / 1000;
  const auto at = [&](size_t i) { return parameters.data() + i * ld; };
  std::unique_ptr<Layer<T>> layer;
  if (kBatch) {
    const typename BatchNormLayer<T>::Parameters all{
        {at(0), at(1)}, {at(2), at(3)}, {at(4), nullptr}, {at(5), nullptr}};
    layer = std::make_unique<BatchNormLayer<T>>(cols, all, T(1e-3), T(0.99));
  } else {
    layer = std::make_unique<LayerNormLayer<T>>(cols, Parameter<T>{at(0), at(1)}, Parameter<T>{at(2), at(3)},
                                                T(1e-3));
  }
  const SampleShape shape{1, cols};
  AlignedBuffer<T> kept(layer->kept_values(rows, shape)), work(layer->work_values(rows, shape));
  LayerPass<T> pass;
  pass.in = {x.data(), rows, cols}, pass.out = {y.data(), rows, cols};
  pass.out_gradient = {dy.data(), rows, cols}, pass.in_gradient = {dx.data(), rows, cols};
  pass.kept = kept.data(), pass.work = work.data();
  for (auto _ : state) {
    layer->forward(pass);
    layer->backward(pass);
  }
  const auto values = static_cast<double>(rows * cols);
  state.counters["values/s"] = benchmark::Counter(values, benchmark::Counter::kIsIterationInvariantRate);
}

void shapes(benchmark::internal::Benchmark* b) {
  b->ArgNames({"rows", "cols", "threads"})->UseRealTime();
  for (const int64_t threads : {1, 2}) b->Args({32, 64, threads})->Args({256, 1024, threads});
}
BENCHMARK(NormStep<float, true>)->Apply(shapes)->Name("BatchNorm<float>");
BENCHMARK(NormStep<double, true>)->Apply(shapes)->Name("BatchNorm<double>");
BENCHMARK(NormStep<float, false>)->Apply(shapes)->Name("LayerNorm<float>");
BENCHMARK(NormStep<double, false>)->Apply(shapes)->Name("LayerNorm<double>");

}  // namespace
}  // namespace maas
