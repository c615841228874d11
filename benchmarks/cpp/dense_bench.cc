// Dense layers of one row and of batches, one thread: nanoseconds a call, multiply-adds a second.
//
// Floors for float32 with AVX-512, in cycles. A chain of K multiply-adds takes 4 K for one row (latency 4),
// and 64 outputs run side by side in it at no extra cost; weights beyond the first-level cache arrive at 32
// bytes a cycle; a narrow output (N < 16) ends in a tree of 6 additions and shuffles, about 36. One row:
//   20→1 45   10→64 40   64→32 256   32→1 45   784→256 25100   256→128 4100   128→10 130
// Batches: 16 multiply-adds a cycle. Each tile of 6 rows × 64 outputs also stores 24 vectors, one in two
// cycles, which overlap the next tile: rows of 10→64 40 cycles, 64→32 128, 784→256 12544. 32→1: 2 products
// and a share of the fold, 2 + 45/16 · 1.5 cycles a row.
#include <benchmark/benchmark.h>

#include <algorithm>
#include <vector>

#include "maas/kernels/dense.h"

namespace maas {
namespace {

template <class T>
AlignedBuffer<T> values(size_t size) {
  AlignedBuffer<T> out(size);
  for (size_t i = 0; i < size; ++i)
    out[i] = static_cast<T>(static_cast<double>(i * 2654435761u % 1000) / 500 - 1);
  return out;
}

template <class T>
struct Layer {
  Layer(size_t k, size_t n, Activation<T> end)
      : w(values<T>(k * n)),
        bias(values<T>(n)),
        packed(MatrixView<T>{w.data(), k, n, static_cast<ptrdiff_t>(n), 1}),
        dense(DenseSpec<T>{
            .weights = &packed, .scale = {}, .bias = bias.data(), .norm = {}, .activation = end}) {}
  AlignedBuffer<T> w, bias;  // as a Program keeps its blocks: on 64 bytes
  PackedMatrix<T> packed;
  Dense<T> dense;
};

template <class T>
constexpr Activation<T> kRelu{Activation<T>::kMap, MapOp::kRelu};
template <class T>
constexpr Activation<T> kSigmoid{Activation<T>::kMap, MapOp::kSigmoid};

// One layer, its input fresh from the first-level cache for few rows.
template <class T>
void OneLayer(benchmark::State& state) {
  const size_t rows = state.range(0), k = state.range(1), n = state.range(2);
  const Layer<T> layer(k, n, n == 1 ? Activation<T>{} : kRelu<T>);
  const auto x = values<T>(rows * k);
  AlignedBuffer<T> out(rows * n);
  for (auto _ : state) {
    layer.dense.run(x.data(), rows, k, out.data(), n, nullptr);
    benchmark::ClobberMemory();
  }
  state.counters["fma/s"] =
      benchmark::Counter(static_cast<double>(rows * k * n), benchmark::Counter::kIsIterationInvariantRate);
}

// A network's layers one after the other on blocks of rows, as a Program runs them.
template <class T>
void Network(benchmark::State& state, const std::vector<size_t>& widths, size_t block) {
  const size_t rows = state.range(0);
  std::vector<Layer<T>> layers;
  double work = 0;
  for (size_t l = 0; l + 1 < widths.size(); ++l) {
    layers.emplace_back(widths[l], widths[l + 1], l + 2 == widths.size() ? Activation<T>{} : kRelu<T>);
    work += static_cast<double>(widths[l] * widths[l + 1] * rows);
  }
  for (auto& layer : layers) {  // the vectors moved; point to where they are now
    layer.dense = Dense<T>(DenseSpec<T>{.weights = &layer.packed,
                                        .scale = {},
                                        .bias = layer.bias.data(),
                                        .norm = {},
                                        .activation = &layer == &layers.back() ? Activation<T>{} : kRelu<T>});
  }
  const size_t widest = *std::max_element(widths.begin(), widths.end());
  const auto x = values<T>(rows * widths[0]);
  AlignedBuffer<T> a(block * widest), b(block * widest), out(rows * widths.back());
  for (auto _ : state) {
    for (size_t i = 0; i < rows; i += block) {
      const size_t count = std::min(block, rows - i);
      const T* in = x.data() + i * widths[0];
      for (size_t l = 0; l < layers.size(); ++l) {
        T* to = l + 1 == layers.size() ? out.data() + i * widths.back() : l % 2 == 0 ? a.data() : b.data();
        layers[l].dense.run(in, count, widths[l], to, widths[l + 1], nullptr);
        in = to;
      }
    }
    benchmark::ClobberMemory();
  }
  state.counters["fma/s"] = benchmark::Counter(work, benchmark::Counter::kIsIterationInvariantRate);
}

template <class T>
void SmallNetwork(benchmark::State& state) {
  Network<T>(state, {10, 64, 32, 1}, 192);
}
template <class T>
void WideNetwork(benchmark::State& state) {
  Network<T>(state, {784, 256, 128, 10}, 192);
}

template <class T>
void Logistic(benchmark::State& state) {
  const size_t rows = state.range(0), k = 20, block = 1024;
  const Layer<T> layer(k, 1, state.range(1) ? kSigmoid<T> : Activation<T>{});
  const auto x = values<T>(rows * k);
  AlignedBuffer<T> out(rows);
  for (auto _ : state) {
    for (size_t i = 0; i < rows; i += block)
      layer.dense.run(x.data() + i * k, std::min(block, rows - i), k, out.data() + i, 1, nullptr);
    benchmark::ClobberMemory();
  }
  state.SetBytesProcessed(static_cast<int64_t>(state.iterations() * rows * k * sizeof(T)));
}

void shapes(benchmark::internal::Benchmark* bench) {
  bench->ArgNames({"rows", "K", "N"});
  for (const int rows : {1, 2, 5, 64, 1024}) {
    bench->Args({rows, 20, 1})->Args({rows, 10, 64})->Args({rows, 64, 32})->Args({rows, 32, 1});
    bench->Args({rows, 784, 256})->Args({rows, 256, 128})->Args({rows, 128, 10});
  }
}

BENCHMARK(OneLayer<float>)->Apply(shapes);
BENCHMARK(OneLayer<double>)->Apply(shapes);
BENCHMARK(SmallNetwork<float>)->Arg(1)->Arg(64)->Arg(1024)->Arg(65536);
BENCHMARK(WideNetwork<float>)->Arg(1)->Arg(64)->Arg(1024)->Arg(8192);
BENCHMARK(Logistic<float>)->Args({65536, 0})->Args({65536, 1});
BENCHMARK(Logistic<double>)->Args({65536, 0})->Args({65536, 1});

}  // namespace
}  // namespace maas
