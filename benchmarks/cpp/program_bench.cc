// Program::run from one row to many, and run_rows over threads.
//
// Floors: a product cannot be faster than its multiply-adds (peak of this core: gemm_bench), linear and
// logistic of many rows not than reading them once; one row not than its kernels, whose own time
// dense_bench shows.
#include <benchmark/benchmark.h>

#include <string>
#include <vector>

#include "maas/base/thread_pool.h"
#include "maas/program/compile.h"
#include "maas/program/program.h"

namespace maas {
namespace {

// Gemm layers with Relu between them and `last` at the end.
Graph layers(const std::vector<int64_t>& widths, const std::string& last) {
  Graph graph;
  graph.inputs.push_back({"x", {DType::kFloat32, {kBatch, widths[0]}}});
  std::string value = "x";
  for (size_t i = 0; i + 1 < widths.size(); ++i) {
    const std::string n = std::to_string(i);
    std::vector<float> weights(static_cast<size_t>(widths[i] * widths[i + 1]));
    for (size_t k = 0; k < weights.size(); ++k) {
      weights[k] = (static_cast<float>(k * 7 % 13) - 6) / static_cast<float>(4 * widths[i]);
    }
    graph.initializers.emplace("w" + n, Tensor::of({widths[i], widths[i + 1]}, weights.data()));
    const std::vector<float> bias(static_cast<size_t>(widths[i + 1]), 0.1F);
    graph.initializers.emplace("b" + n, Tensor::of({widths[i + 1]}, bias.data()));
    const std::string op = i + 2 == widths.size() ? last : "Relu";
    graph.nodes.push_back({"Gemm", "", "", {value, "w" + n, "b" + n}, {"h" + n}, {}});
    value = "h" + n;
    if (op.empty()) continue;
    graph.nodes.push_back({op, "", "", {value}, {"a" + n}, {}});
    value = "a" + n;
  }
  graph.outputs.push_back({value, {}});
  return graph;
}

struct Model {
  const char* name;
  std::vector<int64_t> widths;
  const char* last;
};
const Model kModels[] = {{"linear 20", {20, 1}, ""},
                         {"logistic 20", {20, 1}, "Sigmoid"},
                         {"mlp 10-64-32-1", {10, 64, 32, 1}, ""},
                         {"mlp 784-256-128-10", {784, 256, 128, 10}, "Softmax"}};

// Arguments: model, rows, threads (0: Program::run).
void BM_program(benchmark::State& state) {
  const Model& model = kModels[state.range(0)];
  const auto rows = static_cast<size_t>(state.range(1));
  const auto threads = static_cast<int>(state.range(2));
  const Program program = compile(layers(model.widths, model.last));
  const auto items = static_cast<size_t>(model.widths.front());
  std::vector<float> x(rows * items);
  for (size_t k = 0; k < x.size(); ++k) x[k] = static_cast<float>(k % 31) / 31;
  std::vector<float> out(rows * static_cast<size_t>(model.widths.back()));
  void* outputs[] = {out.data()};
  const InputArray input{x.data(), DType::kFloat32, static_cast<ptrdiff_t>(items * 4), 4};
  set_num_threads(threads == 0 ? 1 : threads);
  std::vector<Scratch> scratches;
  for (int i = 0; i < (threads == 0 ? 1 : threads); ++i) scratches.emplace_back(program);
  for (auto _ : state) {
    if (threads == 0) {
      benchmark::DoNotOptimize(program.run(&input, rows, outputs, scratches[0]));
    } else {
      benchmark::DoNotOptimize(program.run_rows(&input, rows, outputs, scratches));
    }
  }
  double products = 0;
  for (size_t i = 0; i + 1 < model.widths.size(); ++i) {
    products += static_cast<double>(model.widths[i] * model.widths[i + 1]);
  }
  const auto runs = static_cast<double>(state.iterations()) * static_cast<double>(rows);
  state.counters["GFLOP/s"] = benchmark::Counter(2e-9 * products * runs, benchmark::Counter::kIsRate);
  state.counters["GB/s in"] =
      benchmark::Counter(4e-9 * static_cast<double>(items) * runs, benchmark::Counter::kIsRate);
  state.SetLabel(model.name);
}
BENCHMARK(BM_program)
    ->ArgNames({"model", "rows", "threads"})
    ->ArgsProduct({{0, 1, 2, 3}, {1, 64, 1024, 65536}, {0}})
    ->ArgsProduct({{0, 1, 2, 3}, {1024, 65536}, {1, 2}})
    ->UseRealTime();

// 65,536 rows of the first model from arrays that have to be copied block by block. Argument: 0 rows as the
// model wants them, 1 columns one after the other, 2 every other value, 3 float32 for a model of float64.
void BM_layout(benchmark::State& state) {
  constexpr size_t kRows = 65536, kItems = 20;
  Graph graph = layers(kModels[0].widths, "");
  if (state.range(0) == 3) {
    graph.inputs[0].type.dtype = DType::kFloat64;
    for (auto& [name, tensor] : graph.initializers) {
      const auto values = tensor.values<float>();
      tensor = Tensor::of(tensor.shape(), std::vector<double>(values.begin(), values.end()).data());
    }
  }
  const Program program = compile(std::move(graph));
  Scratch scratch(program);
  const std::vector<float> x(2 * kRows * kItems, 0.5F);
  std::vector<double> out(kRows);
  void* outputs[] = {out.data()};
  InputArray input{x.data(), DType::kFloat32, kItems * 4, 4};
  if (state.range(0) == 1) input = {x.data(), DType::kFloat32, 4, kRows * 4};
  if (state.range(0) == 2) input = {x.data(), DType::kFloat32, 2 * kItems * 4, 8};
  for (auto _ : state) benchmark::DoNotOptimize(program.run(&input, kRows, outputs, scratch));
  state.counters["GB/s in"] = benchmark::Counter(
      4e-9 * kItems * kRows * static_cast<double>(state.iterations()), benchmark::Counter::kIsRate);
}
BENCHMARK(BM_layout)->ArgName("layout")->DenseRange(0, 3);

// Graph to Program: packing the weights is most of it.
void BM_compile(benchmark::State& state) {
  const Model& model = kModels[state.range(0)];
  const Graph graph = layers(model.widths, model.last);
  for (auto _ : state) {
    const Program program = compile(graph);
    benchmark::DoNotOptimize(&program);
  }
  state.SetLabel(model.name);
}
BENCHMARK(BM_compile)->ArgName("model")->DenseRange(0, 3);

}  // namespace
}  // namespace maas
