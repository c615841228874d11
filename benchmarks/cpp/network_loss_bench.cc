// A batch's loss with its gradient, and its accuracy, one thread.
#include <benchmark/benchmark.h>

#include "maas/base/aligned.h"
#include "maas/nn/loss.h"
#include "maas/nn/metric.h"

namespace maas {
namespace {

template <class T>
struct Rows {
  AlignedBuffer<T> prediction, target, gradient;
  size_t rows, cols;
  bool sparse;
  Rows(size_t r, size_t c, bool s)
      : prediction(r * row_stride<T>(c)),
        target(r * row_stride<T>(c)),
        gradient(r * row_stride<T>(c)),
        rows(r),
        cols(c),
        sparse(s) {
    for (size_t i = 0; i < prediction.size(); ++i) {
      prediction[i] = static_cast<T>(static_cast<double>(i * 2654435761u % 1000) / 1000);
      target[i] = static_cast<T>(i / 7 % (s ? c : 2));
    }
  }
  LossBatch<T> batch() {
    return {{prediction.data(), rows, cols},
            {target.data(), rows, sparse ? 1 : cols},
            nullptr,
            {gradient.data(), rows, cols}};
  }
};

void report(benchmark::State& state, size_t values) {
  state.counters["ns/value"] =
      benchmark::Counter(1e-9 * static_cast<double>(values),
                         benchmark::Counter::kIsIterationInvariantRate | benchmark::Counter::kInvert);
}

template <class T>
void Loss(benchmark::State& state, LossKind kind, bool logits) {
  const auto rows = static_cast<size_t>(state.range(0)), cols = static_cast<size_t>(state.range(1));
  Rows<T> data(rows, cols, kind == LossKind::kSparseCategoricalCrossentropy);
  LossOptions options;
  options.kind = kind, options.from_logits = logits;
  for (auto _ : state) benchmark::DoNotOptimize(compute_loss(options, data.batch()).loss);
  report(state, rows * cols);
}

void LossF32(benchmark::State& state, LossKind kind, bool logits) { Loss<float>(state, kind, logits); }
void LossF64(benchmark::State& state, LossKind kind, bool logits) { Loss<double>(state, kind, logits); }

template <class T>
void Accuracy(benchmark::State& state) {
  const auto rows = static_cast<size_t>(state.range(0)), cols = static_cast<size_t>(state.range(1));
  Rows<T> data(rows, cols, true);
  const auto options = metric_by_name("accuracy", LossKind::kSparseCategoricalCrossentropy, cols);
  const LossBatch<T> batch = data.batch();
  MetricSum sum;
  for (auto _ : state) add_metric(options, batch.prediction, batch.target, sum);
  benchmark::DoNotOptimize(sum.sum);
  report(state, rows * cols);
}

BENCHMARK_CAPTURE(LossF32, squared, LossKind::kMeanSquaredError, false)
    ->Args({32, 1})
    ->Args({64, 10})
    ->Args({128, 784});
BENCHMARK_CAPTURE(LossF32, binary_logits, LossKind::kBinaryCrossentropy, true)
    ->Args({32, 1})
    ->Args({64, 10})
    ->Args({128, 784});
BENCHMARK_CAPTURE(LossF32, sparse_logits, LossKind::kSparseCategoricalCrossentropy, true)
    ->Args({64, 2})
    ->Args({64, 10})
    ->Args({128, 1000});
BENCHMARK_CAPTURE(LossF32, categorical_logits, LossKind::kCategoricalCrossentropy, true)->Args({64, 10});
BENCHMARK_CAPTURE(LossF64, sparse_logits, LossKind::kSparseCategoricalCrossentropy, true)->Args({64, 10});
BENCHMARK(Accuracy<float>)->Args({64, 10})->Args({128, 1000});

}  // namespace
}  // namespace maas
