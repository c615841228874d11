// Graphs of small networks, and rows for them.
#pragma once

#include <cmath>
#include <string>
#include <vector>

#include "maas/nn/network.h"
#include "maas/nn/row_source.h"

namespace maas::testing {

// Numbers in about [-1, 1], the same each time.
template <class T>
std::vector<T> some_values(size_t n, double start = 0.3) {
  std::vector<T> values(n);
  double x = start;
  for (T& value : values) {
    x = std::fmod(x * 997.0 + 0.618, 1.0);
    value = static_cast<T>(2 * x - 1);
  }
  return values;
}

// Builds a chain, node by node.
template <class T>
struct GraphBuilder {
  explicit GraphBuilder(int64_t features) {
    graph.name = "net";
    graph.inputs = {{"x", {dtype_of<T>, {kBatch, features}}}};
  }

  std::string add(Shape shape, const std::string& name, bool trainable = true) {
    const auto values = some_values<T>(elements(shape), 0.1 + 0.01 * static_cast<double>(parameters.size()));
    graph.initializers.emplace(name, Tensor::of(shape, values.data()));
    parameters.push_back({name, trainable, 0, 0, true});
    return name;
  }
  GraphBuilder& node(const std::string& op, std::vector<std::string> inputs = {}) {
    inputs.insert(inputs.begin(), value);
    value = "v" + std::to_string(graph.nodes.size());
    graph.nodes.push_back({op, "", "", std::move(inputs), {value}, {}});
    return *this;
  }
  GraphBuilder& dense(int64_t inputs, int64_t units) {
    const std::string at = std::to_string(graph.nodes.size());
    const std::string weights = add({inputs, units}, "w" + at), bias = add({units}, "b" + at);
    return node("Gemm", {weights, bias});
  }
  GraphBuilder& batch_norm(int64_t cols) {
    const std::string at = std::to_string(graph.nodes.size());
    const std::string scale = add({cols}, "s" + at), shift = add({cols}, "t" + at);
    const std::string mean = add({cols}, "m" + at, false), variance = add({cols}, "v" + at + "_", false);
    std::vector<T> ones(static_cast<size_t>(cols), T{1});
    graph.initializers[variance] = Tensor::of({cols}, ones.data());
    return node("BatchNormalization", {scale, shift, mean, variance});
  }
  Graph finish() {
    graph.outputs = {{value, {}}};
    return graph;
  }

  Graph graph;
  std::vector<ParameterOptions> parameters;
  std::string value = "x";
};

template <class T>
RowSource rows_of(const std::vector<T>& values, size_t cols) {
  const auto item = static_cast<ptrdiff_t>(sizeof(T));
  return {values.data(), dtype_of<T>, values.size() / cols, cols, static_cast<ptrdiff_t>(cols) * item, item};
}

}  // namespace maas::testing
