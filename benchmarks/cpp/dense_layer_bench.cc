// Forward and backward of chains of dense layers as a training step runs them: multiply-adds a second beside
// what the processor can do at most (Peak). The arguments are the batch and the threads.
//
// Floors: a layer of K × N costs 3 K N multiply-adds a row, the first one 2 K N; 16 a cycle in float32 with
// AVX-512. Weights of more than the second-level cache are read twice a step and their gradient written once.
#include <benchmark/benchmark.h>

#if defined(__x86_64__)
#include <immintrin.h>
#endif

#include <memory>
#include <vector>

#include "maas/base/thread_pool.h"
#include "maas/nn/dense_layer.h"

namespace maas {
namespace {

template <class T>
AlignedBuffer<T> values(size_t size, double scale) {
  AlignedBuffer<T> out(size);
  for (size_t i = 0; i < size; ++i)
    out[i] = static_cast<T>((static_cast<double>(i * 2654435761u % 1000) / 500 - 1) * scale);
  return out;
}

template <class T>
struct Layers {
  struct One {
    AlignedBuffer<T> weights, gradient, bias, bias_gradient;
    std::unique_ptr<DenseLayer<T>> layer;
  };

  Layers(const std::vector<size_t>& layer_widths, size_t batch) : widths(layer_widths), rows(batch) {
    size_t work_size = 0;
    for (size_t l = 0; l + 1 < widths.size(); ++l) {
      const size_t k = widths[l], n = widths[l + 1];
      const size_t size =
          n < kNarrowCols ? n * narrow_stride<T>(k) : (n + kSliver<T> - 1) / kSliver<T> * kSliver<T> * k;
      One one{values<T>(size, 0.1), AlignedBuffer<T>(size, 0), values<T>(row_stride<T>(n), 0.1),
              AlignedBuffer<T>(row_stride<T>(n), 0), nullptr};
      const bool last = l + 2 == widths.size();
      one.layer = std::make_unique<DenseLayer<T>>(
          k, n, Parameter<T>{one.weights.data(), one.gradient.data()},
          Parameter<T>{one.bias.data(), one.bias_gradient.data()},
          last ? Activation<T>{} : Activation<T>{Activation<T>::kMap, MapOp::kRelu});
      work_size = std::max(work_size, one.layer->work_values(rows, {1, k}));
      layers.push_back(std::move(one));
      multiply_adds += static_cast<double>(rows * k * n * (l == 0 ? 2 : 3));
    }
    for (const size_t width : widths) {
      activations.push_back(values<T>(rows * row_stride<T>(width), 1));
      gradients.push_back(values<T>(rows * row_stride<T>(width), 1e-3));
    }
    work = AlignedBuffer<T>(work_size);
  }

  LayerPass<T> pass(size_t l) {
    return {.in = {activations[l].data(), rows, widths[l]},
            .out = {activations[l + 1].data(), rows, widths[l + 1]},
            .out_gradient = {gradients[l + 1].data(), rows, widths[l + 1]},
            .in_gradient = {l == 0 ? nullptr : gradients[l].data(), rows, widths[l]},
            .work = work.data()};
  }
  void forward() {
    for (size_t l = 0; l < layers.size(); ++l) layers[l].layer->forward(pass(l));
  }
  void backward() {
    for (size_t l = layers.size(); l-- > 0;) layers[l].layer->backward(pass(l));
  }

  std::vector<size_t> widths;
  size_t rows;
  std::vector<One> layers;
  std::vector<AlignedBuffer<T>> activations, gradients;
  AlignedBuffer<T> work;
  double multiply_adds = 0;
};

template <class T>
void Step(benchmark::State& state, const std::vector<size_t>& widths) {
  Layers<T> net(widths, static_cast<size_t>(state.range(0)));
  set_num_threads(static_cast<int>(state.range(1)));
  for (auto _ : state) {
    net.forward();
    net.backward();
    benchmark::ClobberMemory();
  }
  set_num_threads(1);
  state.counters["fma/s"] =
      benchmark::Counter(net.multiply_adds, benchmark::Counter::kIsIterationInvariantRate);
}

template <class T>
void Forward(benchmark::State& state, const std::vector<size_t>& widths) {
  Layers<T> net(widths, static_cast<size_t>(state.range(0)));
  set_num_threads(static_cast<int>(state.range(1)));
  double work = 0;
  for (size_t l = 0; l + 1 < widths.size(); ++l)
    work += static_cast<double>(net.rows * widths[l] * widths[l + 1]);
  for (auto _ : state) {
    net.forward();
    benchmark::ClobberMemory();
  }
  set_num_threads(1);
  state.counters["fma/s"] = benchmark::Counter(work, benchmark::Counter::kIsIterationInvariantRate);
}

#if defined(__x86_64__)
__attribute__((target("avx512f"))) void run_chains(size_t steps, float* out) {
  __m512 sum[12];
  for (auto& s : sum) s = _mm512_set1_ps(out[0]);
  const __m512 x = _mm512_set1_ps(out[1]);
  for (size_t i = 0; i < steps; ++i) {
#pragma GCC unroll 12
    for (auto& s : sum) s = _mm512_fmadd_ps(s, x, x);
  }
  for (const auto& s : sum) _mm512_storeu_ps(out, _mm512_add_ps(s, _mm512_loadu_ps(out)));
}

// Twelve independent chains of float32 in registers.
void Peak(benchmark::State& state) {
  if (!__builtin_cpu_supports("avx512f")) return state.SkipWithError("no AVX-512");
  constexpr size_t kSteps = 100000;
  float out[16] = {1, 0.5f};
  for (auto _ : state) {
    run_chains(kSteps, out);
    benchmark::DoNotOptimize(out);
  }
  state.counters["fma/s"] =
      benchmark::Counter(12.0 * 16 * kSteps, benchmark::Counter::kIsIterationInvariantRate);
}
BENCHMARK(Peak);
#endif

const std::vector<size_t> kLarge = {784, 1024, 1024, 10}, kMiddle = {784, 256, 128, 10};
const std::vector<size_t> kDigits = {64, 128, 10}, kSmall = {10, 64, 32, 1};

void LargeStep(benchmark::State& state) { Step<float>(state, kLarge); }
void LargeStepF64(benchmark::State& state) { Step<double>(state, kLarge); }
void LargeForward(benchmark::State& state) { Forward<float>(state, kLarge); }
void MiddleStep(benchmark::State& state) { Step<float>(state, kMiddle); }
void MiddleForward(benchmark::State& state) { Forward<float>(state, kMiddle); }
void DigitsStep(benchmark::State& state) { Step<float>(state, kDigits); }
void DigitsForward(benchmark::State& state) { Forward<float>(state, kDigits); }
void SmallStep(benchmark::State& state) { Step<float>(state, kSmall); }
void SmallForward(benchmark::State& state) { Forward<float>(state, kSmall); }

BENCHMARK(LargeStep)->Args({256, 1})->Args({256, 2})->UseRealTime();
BENCHMARK(LargeStepF64)->Args({256, 1})->UseRealTime();
BENCHMARK(LargeForward)->Args({256, 1})->Args({256, 2})->UseRealTime();
BENCHMARK(MiddleStep)->Args({128, 1})->Args({128, 2})->UseRealTime();
BENCHMARK(MiddleForward)->Args({128, 1})->UseRealTime();
BENCHMARK(DigitsStep)->Args({64, 1})->Args({200, 1})->UseRealTime();
BENCHMARK(DigitsForward)->Args({64, 1})->UseRealTime();
BENCHMARK(SmallStep)->Args({32, 1})->UseRealTime();
BENCHMARK(SmallForward)->Args({32, 1})->UseRealTime();

}  // namespace
}  // namespace maas
