// Graphs for tests, and runs of them over every layout.
#pragma once

#include <cmath>
#include <cstring>
#include <string>
#include <vector>

#include "maas/graph/graph.h"
#include "maas/program/compile.h"
#include "maas/program/program.h"

namespace maas::testing {

// The same numbers for the same seed, in [-1, 1).
template <class T>
std::vector<T> numbers(size_t count, uint32_t seed) {
  std::vector<T> values(count);
  uint32_t state = seed * 2654435761U + 12345U;
  for (T& value : values) {
    state = state * 1664525U + 1013904223U;
    value = static_cast<T>(static_cast<int32_t>(state)) / static_cast<T>(2147483648.0);
  }
  return values;
}

template <class T>
Tensor random_tensor(Shape shape, uint32_t seed) {
  const auto values = numbers<T>(elements(shape), seed);
  return Tensor::of(std::move(shape), values.data());
}

// Adds nodes one after the other.
class GraphMaker {
 public:
  GraphMaker& input(const std::string& name, DType dtype, Shape shape) {
    graph.inputs.push_back({name, {dtype, std::move(shape)}});
    return *this;
  }
  GraphMaker& constant(const std::string& name, Tensor tensor) {
    graph.initializers.emplace(name, std::move(tensor));
    return *this;
  }
  GraphMaker& node(const std::string& op, std::vector<std::string> inputs, std::vector<std::string> outputs,
                   std::map<std::string, Attribute> attributes = {}, const std::string& domain = "") {
    graph.nodes.push_back({op, domain, "", std::move(inputs), std::move(outputs), std::move(attributes)});
    return *this;
  }
  GraphMaker& output(const std::string& name) {
    graph.outputs.push_back({name, {}});
    return *this;
  }
  Graph graph;
};

// Gemm layers of those widths with `activation` between them and `last` at the end ("" for none).
template <class T>
Graph mlp(const std::vector<int64_t>& widths, const std::string& activation, const std::string& last) {
  GraphMaker maker;
  maker.input("x", dtype_of<T>, {kBatch, widths[0]});
  std::string value = "x";
  for (size_t i = 0; i + 1 < widths.size(); ++i) {
    const std::string n = std::to_string(i);
    const bool at_end = i + 2 == widths.size();
    maker.constant("w" + n, random_tensor<T>({widths[i], widths[i + 1]}, static_cast<uint32_t>(i + 1)));
    maker.constant("b" + n, random_tensor<T>({widths[i + 1]}, static_cast<uint32_t>(i + 101)));
    const std::string op = at_end ? last : activation;
    maker.node("Gemm", {value, "w" + n, "b" + n}, {op.empty() ? "y" : "h" + n});
    value = at_end ? "y" : "a" + n;
    if (!op.empty()) maker.node(op, {"h" + n}, {value});
  }
  maker.output("y");
  return maker.graph;
}

// One array of rows × items in a layout of its own.
enum class ArrayLayout { kC, kF, kStrided, kUnaligned };
inline constexpr ArrayLayout kLayouts[] = {ArrayLayout::kC, ArrayLayout::kF, ArrayLayout::kStrided,
                                           ArrayLayout::kUnaligned};

template <class T>
class LaidOut {
 public:
  LaidOut(const std::vector<T>& values, size_t rows, size_t items, ArrayLayout layout) {
    const auto size = static_cast<ptrdiff_t>(sizeof(T));
    const auto n = static_cast<ptrdiff_t>(items), m = static_cast<ptrdiff_t>(rows);
    array.dtype = dtype_of<T>;
    array.item_stride = layout == ArrayLayout::kF         ? m * size
                        : layout == ArrayLayout::kStrided ? 2 * size
                                                          : size;
    array.row_stride = layout == ArrayLayout::kF         ? size
                       : layout == ArrayLayout::kStrided ? (2 * n + 3) * size
                                                         : n * size;
    bytes_.resize((rows * (2 * items + 3) + 2) * sizeof(T), std::byte{0x5A});
    std::byte* base = bytes_.data() + (layout == ArrayLayout::kUnaligned ? 1 : 0);
    for (size_t i = 0; i < rows; ++i) {
      for (size_t j = 0; j < items; ++j) {
        std::memcpy(base + static_cast<ptrdiff_t>(i) * array.row_stride +
                        static_cast<ptrdiff_t>(j) * array.item_stride,
                    &values[i * items + j], sizeof(T));
      }
    }
    array.data = base;
  }
  InputArray array;

 private:
  std::vector<std::byte> bytes_;
};

template <class T>
InputArray rows_of(const std::vector<T>& values, size_t items) {
  return {values.data(), dtype_of<T>, static_cast<ptrdiff_t>(items * sizeof(T)), sizeof(T)};
}

// The only output of a Program of one input, rows in C order.
template <class T, class U = T>
std::vector<U> run_once(const Program& program, const std::vector<T>& x, size_t rows) {
  Scratch scratch(program);
  const InputArray input = rows_of(x, elements(program.inputs()[0].type.shape));
  std::vector<U> out(rows * elements(program.outputs()[0].type.shape));
  void* outputs[] = {out.data()};
  const RunResult result = program.run(&input, rows, outputs, scratch);
  if (!result) throw std::runtime_error(program.message(result));
  return out;
}

}  // namespace maas::testing
