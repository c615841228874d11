// Runs graphs of one node on values, and checks that a row gives the same alone as among others.
#pragma once

#include <gtest/gtest.h>

#include <cstring>
#include <string>
#include <string_view>
#include <vector>

#include "maas/program/compile.h"

namespace maas::test {

inline constexpr int64_t N = kBatch;

// An operand: its values row by row, with N in front of its shape where it is batched.
struct Argument {
  Argument() = default;
  template <class T>
  Argument(Shape shape_in, const std::vector<T>& values, bool constant_in = false)
      : shape(std::move(shape_in)), present(true), constant(constant_in) {
    Shape fixed = shape;
    const auto own = static_cast<int64_t>(maas::elements(shape));
    if (is_batched(shape)) fixed[0] = own == 0 ? 0 : static_cast<int64_t>(values.size()) / own;
    rows = is_batched(shape) ? static_cast<size_t>(fixed[0]) : 0;
    if constexpr (std::is_same_v<T, std::string>) {
      tensor = Tensor::of_strings(fixed, values);
    } else {
      tensor = Tensor::of(fixed, values.data());
    }
  }
  Argument(Shape shape_in, const std::vector<uint8_t>& values, bool constant_in = false)
      : Argument(std::move(shape_in), std::vector<int32_t>(values.begin(), values.end()), constant_in) {
    const std::string bytes(values.begin(), values.end());
    tensor = Tensor::of_bytes(DType::kBool, tensor.shape(), bytes);
  }
  Shape shape;
  bool present = false, constant = false;
  Tensor tensor;
  size_t rows = 0;
};

template <class T>
Argument constant(Shape shape, const std::vector<T>& values) {
  return Argument(std::move(shape), values, true);
}

struct OneNode {
  std::string op;
  std::vector<Argument> arguments;
  std::map<std::string, Attribute> attributes = {};
  size_t outputs = 1;

  Graph graph() const {
    Graph graph;
    Node node{op, "", "n", {}, {}, attributes};
    for (size_t i = 0; i < arguments.size(); ++i) {
      const Argument& a = arguments[i];
      const std::string name = std::to_string(i).insert(0, 1, 'x');
      node.inputs.push_back(a.present ? name : "");
      if (!a.present) continue;
      if (a.constant) {
        graph.initializers.emplace(name, a.tensor);
      } else {
        graph.inputs.push_back({name, {a.tensor.dtype(), a.shape}});
      }
    }
    for (size_t i = 0; i < outputs; ++i) {
      node.outputs.push_back(std::to_string(i).insert(0, 1, 'y'));
      graph.outputs.push_back({node.outputs.back(), {}});
    }
    graph.nodes.push_back(node);
    return graph;
  }
};

// One output of a run; texts are copied out while they hold.
struct Output {
  ValueType type;
  size_t items = 0, row_items = 0;
  std::vector<std::byte> bytes;
  std::vector<std::string> texts;

  template <class T>
  std::vector<T> values() const {
    std::vector<T> result(items);
    if (items > 0) std::memcpy(static_cast<void*>(result.data()), bytes.data(), items * sizeof(T));
    return result;
  }
};

struct Outcome {
  RunStatus status = RunStatus::kOk;
  std::vector<Output> outputs;
};

// Rows [begin, begin + rows) of the arguments.
inline Outcome run_program(const Program& program, const OneNode& node, size_t begin, size_t rows) {
  std::vector<InputArray> inputs;
  for (const Argument& a : node.arguments) {
    if (!a.present || a.constant) continue;
    const size_t item = item_size(a.tensor.dtype());
    const auto stride = static_cast<ptrdiff_t>(maas::elements(a.shape) * item);
    const auto* data = static_cast<const std::byte*>(a.tensor.data());
    if (data != nullptr && is_batched(a.shape)) data += static_cast<ptrdiff_t>(begin) * stride;
    inputs.push_back({data, a.tensor.dtype(), stride, static_cast<ptrdiff_t>(item)});
  }
  Outcome outcome;
  std::vector<void*> pointers;
  for (const Value& value : program.outputs()) {
    Output output{value.type, 0, maas::elements(value.type.shape), {}, {}};
    output.items = output.row_items * (is_batched(value.type.shape) ? rows : 1);
    output.bytes.resize(output.items * item_size(value.type.dtype) + 64);
    outcome.outputs.push_back(std::move(output));
  }
  for (Output& output : outcome.outputs) pointers.push_back(output.bytes.data());
  Scratch scratch(program);
  scratch.reserve(program, rows);
  outcome.status = program.run(inputs.data(), rows, pointers.data(), scratch).status;
  for (Output& output : outcome.outputs) {
    if (output.type.dtype != DType::kString) continue;
    for (const std::string_view text : output.values<std::string_view>()) output.texts.emplace_back(text);
  }
  return outcome;
}

inline size_t rows_of(const OneNode& node) {
  size_t rows = 1;
  for (const Argument& a : node.arguments) {
    if (a.present && is_batched(a.shape)) rows = a.rows;
  }
  return rows;
}

// Runs all rows, then each alone, and expects the same bits.
inline Outcome run_node(const OneNode& node) {
  const Program program = compile(node.graph());
  const size_t rows = rows_of(node);
  const Outcome all = run_program(program, node, 0, rows);
  for (size_t i = 0; all.status == RunStatus::kOk && rows > 1 && i < rows; ++i) {
    const Outcome one = run_program(program, node, i, 1);
    EXPECT_EQ(one.status, RunStatus::kOk);
    for (size_t k = 0; k < all.outputs.size(); ++k) {
      const Output &a = all.outputs[k], &b = one.outputs[k];
      if (!is_batched(a.type.shape)) continue;
      for (size_t j = 0; j < a.row_items; ++j) {
        if (a.type.dtype == DType::kString) {
          EXPECT_EQ(a.texts[i * a.row_items + j], b.texts[j]);
          continue;
        }
        const size_t item = item_size(a.type.dtype);
        EXPECT_EQ(std::memcmp(a.bytes.data() + (i * a.row_items + j) * item, b.bytes.data() + j * item, item),
                  0)
            << node.op << " row " << i << " item " << j;
      }
    }
  }
  return all;
}

template <class T>
std::vector<T> run_values(const OneNode& node) {
  const Outcome outcome = run_node(node);
  EXPECT_EQ(outcome.status, RunStatus::kOk);
  EXPECT_EQ(outcome.outputs[0].type.dtype, dtype_of<T>);
  return outcome.outputs[0].values<T>();
}

}  // namespace maas::test
