// Short ways to write graphs of one node, and what check_graph says of them in a line of text.
#pragma once

#include <gtest/gtest.h>

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "maas/base/error.h"
#include "maas/graph/op.h"

namespace maas {

inline constexpr int64_t N = kBatch;
inline constexpr DType F32 = DType::kFloat32, F64 = DType::kFloat64, I64 = DType::kInt64, I32 = DType::kInt32,
                       B = DType::kBool, S = DType::kString;

// An input of the graph, a constant, or nothing.
struct Argument {
  Argument() = default;
  Argument(DType dtype, Shape shape) : type(ValueType{dtype, std::move(shape)}) {}
  Argument(Tensor tensor) : constant(std::move(tensor)) {}  // NOLINT: brief on purpose
  std::optional<ValueType> type;
  std::optional<Tensor> constant;
};

inline Tensor ints(const std::vector<int64_t>& values) {
  return Tensor::of({static_cast<int64_t>(values.size())}, values.data());
}
inline Tensor scalar(int64_t value) { return Tensor::of({}, &value); }

using Attributes = std::map<std::string, Attribute>;
using Floats = std::vector<float>;
using Ints = std::vector<int64_t>;
using Strings = std::vector<std::string>;

inline std::string numbered(char letter, size_t i) { return std::to_string(i).insert(0, 1, letter); }

inline Graph one_node(const std::string& domain, const std::string& op, const std::vector<Argument>& operands,
                      const Attributes& attributes = {}, size_t outputs = 1) {
  Graph graph;
  Node node{op, domain, "n", {}, {}, attributes};
  for (size_t i = 0; i < operands.size(); ++i) {
    const std::string name = numbered('x', i);
    if (operands[i].type) graph.inputs.push_back({name, *operands[i].type});
    if (operands[i].constant) graph.initializers.emplace(name, *operands[i].constant);
    node.inputs.push_back(operands[i].type || operands[i].constant ? name : "");
  }
  for (size_t i = 0; i < outputs; ++i) {
    node.outputs.push_back(numbered('y', i));
    graph.outputs.push_back({node.outputs.back(), {}});
  }
  graph.nodes.push_back(node);
  return graph;
}

// "float32 [N, 3]; int64 [N]" of the outputs, or "Unsupported [Gemm 'n'] ..." and the like.
inline std::string verdict(Graph graph) {
  try {
    check_graph(graph);
  } catch (const Error& error) {
    const char* kind = error.code() == ErrorCode::kFormatError   ? "FormatError "
                       : error.code() == ErrorCode::kUnsupported ? "Unsupported "
                                                                 : "another error ";
    return std::string(kind) + error.what();
  }
  std::string text;
  for (const Value& output : graph.outputs) {
    if (!text.empty()) text += "; ";
    text += std::string(dtype_name(output.type.dtype)) + " " + shape_text(output.type.shape);
  }
  return text;
}

// One row of a table of rules: an operator, and the verdict on it or, of an error, how it begins.
struct Case {
  const char* op;
  std::vector<Argument> operands;
  std::string expected;
  Attributes attributes = {};
  size_t outputs = 1;
  const char* domain = "";
};

inline void check(const std::vector<Case>& cases) {
  for (const Case& c : cases) {
    const std::string text = verdict(one_node(c.domain, c.op, c.operands, c.attributes, c.outputs));
    const bool error = c.expected[0] == 'F' || c.expected[0] == 'U';
    EXPECT_EQ(error ? text.substr(0, c.expected.size()) : text, c.expected) << text;
  }
}

}  // namespace maas
