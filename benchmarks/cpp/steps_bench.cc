// Steps of single nodes: what one costs for a row of 10 values, and for many rows. A chain of 16 equal nodes
// is run and its time divided by 16, so what a run costs by itself hardly counts.
//
// Floors: a call through a virtual function about 2 ns; many rows cannot be faster than reading and writing
// them in the first- or second-level cache.
#include <benchmark/benchmark.h>

#include <functional>
#include <string>
#include <vector>

#include "maas/program/compile.h"

namespace maas {
namespace {

constexpr int64_t kItems = 10;
constexpr size_t kNodes = 16;

struct Chain {
  const char* op;
  int64_t constant;  // elements of the second operand, 0: none
  std::map<std::string, Attribute> attributes = {};
  bool indices = false;  // the second operand holds axes or indices, whole numbers
};
const Chain kChains[] = {
    {"Add", kItems},
    {"Mul", 1},
    {"Max", kItems},
    {"Abs", 0},
    {"Relu", 0},
    {"Sigmoid", 0},
    {"Softmax", 0},
    {"Pow", 1},  // of 1, so by the kernel of powers
    {"ReduceSum", 1, {{"noop_with_empty_axes", int64_t{0}}}, true},
    {"Gather", kItems, {{"axis", int64_t{1}}}, true},
};

Graph chain_graph(const Chain& chain) {
  Graph graph;
  graph.inputs.push_back({"x", {DType::kFloat32, {kBatch, kItems}}});
  if (chain.indices) {
    std::vector<int64_t> values(static_cast<size_t>(chain.constant));
    for (size_t i = 0; i < values.size(); ++i) values[i] = static_cast<int64_t>(i * 3 % kItems);
    if (chain.constant == 1) values[0] = 1;
    graph.initializers.emplace("c", Tensor::of({chain.constant}, values.data()));
  } else if (chain.constant > 0) {
    const std::vector<float> values(static_cast<size_t>(chain.constant), 1.0F);
    graph.initializers.emplace("c", Tensor::of({chain.constant}, values.data()));
  }
  std::string value = "x";
  for (size_t i = 0; i < kNodes; ++i) {
    const std::string next = std::to_string(i).insert(0, 1, 'v');
    std::vector<std::string> inputs = {value};
    if (chain.constant > 0) inputs.push_back("c");
    graph.nodes.push_back({chain.op, "", "", inputs, {next}, chain.attributes});
    value = next;
  }
  graph.outputs.push_back({value, {}});
  return graph;
}

// Arguments: chain, rows.
void BM_step(benchmark::State& state) {
  const Chain& chain = kChains[state.range(0)];
  const auto rows = static_cast<size_t>(state.range(1));
  const Program program = compile(chain_graph(chain), {.outputs = {}, .fuse = false});
  Scratch scratch(program);
  const std::vector<float> x(rows * kItems, 0.5F);
  std::vector<float> out(rows * kItems);
  void* outputs[] = {out.data()};
  const InputArray input{x.data(), DType::kFloat32, kItems * 4, 4};
  for (auto _ : state) benchmark::DoNotOptimize(program.run(&input, rows, outputs, scratch));
  const auto values = static_cast<double>(state.iterations()) * static_cast<double>(rows * kNodes);
  state.counters["ns a node and row"] =
      benchmark::Counter(values * 1e-9, benchmark::Counter::kIsRate | benchmark::Counter::kInvert);
  state.SetLabel(chain.op);
}
BENCHMARK(BM_step)
    ->ArgNames({"chain", "rows"})
    ->ArgsProduct({benchmark::CreateDenseRange(0, 9, 1), {1, 1024}});

}  // namespace
}  // namespace maas
