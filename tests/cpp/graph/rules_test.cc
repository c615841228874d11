// The type and shape rule of every operator, as a table.
#include <gtest/gtest.h>

#include <set>

#include "graph_cases.h"

namespace maas {
namespace {

struct Case {
  const char* op;
  std::vector<Argument> operands;
  std::string expected;  // a whole verdict, or the start of one
  Attributes attributes = {};
  size_t outputs = 1;
  const char* domain = "";
};

void check(const std::vector<Case>& cases) {
  for (const Case& c : cases) {
    const std::string text = verdict(one_node(c.domain, c.op, c.operands, c.attributes, c.outputs));
    const bool error = c.expected[0] == 'F' || c.expected[0] == 'U';
    EXPECT_EQ(error ? text.substr(0, c.expected.size()) : text, c.expected) << text;
  }
}

TEST(Rules, Elementwise) {
  check({
      {"Add", {{F32, {N, 3}}, {F32, {3}}}, "float32 [N, 3]"},
      {"Add", {{F32, {N, 3}}, {F32, {}}}, "float32 [N, 3]"},
      {"Add", {{F32, {N, 3}}, {F32, {1, 3}}}, "float32 [N, 3]"},
      {"Sub", {{F64, {N, 1}}, {F64, {N, 3}}}, "float64 [N, 3]"},
      {"Mul", {{I64, {N}}, {I64, {1}}}, "int64 [N]"},
      {"Div", {{I32, {2, 1, 3}}, {I32, {4, 1}}}, "int32 [2, 4, 3]"},
      {"Add", {{F32, {N, 0}}, {F32, {1}}}, "float32 [N, 0]"},
      {"Add",
       {{F32, {N, 10}}, {F32, {5, 10}}},
       "FormatError [Add 'n'] expected shapes that broadcast, got [N, 10] and [5, 10]"},
      {"Add",
       {{F32, {4}}, {F32, {5}}},
       "FormatError [Add 'n'] expected shapes that broadcast, got [4] and [5]"},
      {"Add", {{F32, {N}}, {F32, {N, 1}}}, "Unsupported [Add 'n'] shapes [N] and [N, 1] would combine rows"},
      {"Add", {{F32, {N, 2}}, {F32, {1, 1, 2}}}, "Unsupported [Add 'n'] shapes"},
      {"Add",
       {{F32, {N}}, {F64, {N}}},
       "FormatError [Add 'n'] expected inputs of one type, got float32 and float64"},
      {"Add",
       {{S, {N}}, {S, {N}}},
       "FormatError [Add 'n'] expected A of type float32 or float64 or int64 or int32, got string"},
      {"Relu", {{F32, {N, 3}}}, "float32 [N, 3]"},
      {"Sigmoid", {{I64, {N}}}, "FormatError [Sigmoid 'n'] expected X of type float32 or float64, got int64"},
      {"Celu", {{F64, {N}}}, "FormatError"},
      {"Less", {{F32, {N, 2}}, {F32, {2}}}, "bool [N, 2]"},
      {"Equal", {{S, {N}}, {S, {1}}}, "bool [N]"},
      {"And", {{B, {N}}, {B, {}}}, "bool [N]"},
      {"And", {{F32, {N}}, {F32, {}}}, "FormatError"},
      {"Not", {{B, {N}}}, "bool [N]"},
      {"IsNaN", {{F64, {N, 2}}}, "bool [N, 2]"},
      {"Where", {{B, {N, 1}}, {S, {3}}, {S, {1, 1}}}, "string [N, 3]"},
      {"Where",
       {{F32, {N, 1}}, {S, {3}}, {S, {1, 1}}},
       "FormatError [Where 'n'] expected condition of type bool"},
      {"Max", {{F32, {N, 2}}, {F32, {2}}, {F32, {}}}, "float32 [N, 2]"},
      {"Sum", {{F32, {N}}}, "float32 [N]"},
      {"Pow", {{F32, {N}}, {I64, {}}}, "float32 [N]"},
      {"Mod", {{I64, {N}}, {I64, {}}}, "int64 [N]"},
      {"Mod", {{F32, {N}}, {F32, {}}}, "FormatError [Mod 'n'] expected attribute 'fmod' of 1 for floats"},
      {"Mod", {{F32, {N}}, {F32, {}}}, "float32 [N]", {{"fmod", int64_t{1}}}},
      {"Mod", {{F32, {N}}, {F32, {}}}, "FormatError", {{"fmod", int64_t{2}}}},
      {"Clip", {{F32, {N}}, {}, {F32, {}}}, "float32 [N]"},
      {"Clip",
       {{F32, {N}}, {F32, {2}}},
       "FormatError [Clip 'n'] expected min to be one number, got shape [2]"},
      {"PRelu", {{F32, {N, 3}}, {F32, {3}}}, "float32 [N, 3]"},
      {"PRelu",
       {{F32, {3}}, {F32, {2, 3}}},
       "FormatError [PRelu 'n'] expected slope of a shape that broadcasts to [3], got [2, 3]"},
      {"Gelu", {{F32, {N}}}, "float32 [N]", {{"approximate", std::string("tanh")}}},
      {"Gelu", {{F32, {N}}}, "FormatError", {{"approximate", std::string("fast")}}},
      {"Cast", {{S, {N}}}, "float64 [N]", {{"to", int64_t{11}}}},
      {"Cast", {{S, {N}}}, "FormatError [Cast 'n'] expected attribute 'to'"},
      {"Cast", {{F32, {N}}}, "Unsupported [Cast 'n'] expected to cast to", {{"to", int64_t{10}}}},
  });
}

TEST(Rules, Matrix) {
  check({
      {"Gemm", {{F32, {N, 20}}, {F32, {20, 5}}, {F32, {5}}}, "float32 [N, 5]"},
      {"Gemm", {{F32, {N, 20}}, {F32, {5, 20}}, {F32, {1}}}, "float32 [N, 5]", {{"transB", int64_t{1}}}},
      {"Gemm", {{F32, {7, 4}}, {F32, {7, 3}}}, "float32 [4, 3]", {{"transA", int64_t{1}}}},
      {"Gemm",
       {{F32, {N, 20}}, {F32, {10, 5}}},
       "FormatError [Gemm 'n'] expected B of shape [20, M] for A of shape [N, 20], got [10, 5]"},
      {"Gemm", {{F32, {N, 20}}, {F32, {20, 5}}, {F32, {4, 5}}}, "FormatError [Gemm 'n'] expected shapes"},
      {"Gemm", {{F32, {N, 20}}, {F32, {20, 5}}}, "Unsupported", {{"transA", int64_t{1}}}},
      {"Gemm",
       {{F32, {3, 4}}, {F32, {N, 4}}},
       "Unsupported [Gemm 'n'] expected B to be the same for every row",
       {{"transB", int64_t{1}}}},
      {"Gemm", {{F32, {4}}, {F32, {4, 2}}}, "FormatError [Gemm 'n'] expected A of two dimensions, got [4]"},
      {"MatMul", {{F32, {N, 4}}, {F32, {4, 2}}}, "float32 [N, 2]"},
      {"MatMul", {{F32, {N, 4}}, {F32, {4}}}, "float32 [N]"},
      {"MatMul", {{F32, {N, 3, 4}}, {F32, {4, 2}}}, "float32 [N, 3, 2]"},
      {"MatMul", {{F32, {N, 3, 4}}, {F32, {N, 4, 2}}}, "float32 [N, 3, 2]"},
      {"MatMul", {{F32, {3, 4}}, {F32, {N, 4, 2}}}, "float32 [N, 3, 2]"},
      {"MatMul", {{F32, {4}}, {F32, {N, 4, 2}}}, "float32 [N, 2]"},
      {"MatMul", {{F32, {4}}, {F32, {4}}}, "float32 []"},
      {"MatMul", {{F32, {N}}, {F32, {4, 2}}}, "Unsupported [MatMul 'n'] would sum over the rows"},
      {"MatMul", {{F32, {3, 4}}, {F32, {N, 2}}}, "Unsupported [MatMul 'n'] would sum over the rows"},
      {"MatMul", {{F32, {N, 4}}, {F32, {1, 4, 2}}}, "Unsupported"},
      {"MatMul", {{F32, {N, 4}}, {F32, {3, 2}}}, "FormatError [MatMul 'n'] expected B of shape [..., 4, M]"},
      {"MatMul", {{F32, {}}, {F32, {3, 2}}}, "FormatError"},
  });
}

TEST(Rules, Reduce) {
  check({
      {"ReduceSum", {{F32, {N, 3}}, ints({1})}, "float32 [N, 1]"},
      {"ReduceMean", {{F32, {N, 3, 4}}, ints({-1, 1})}, "float32 [N]", {{"keepdims", int64_t{0}}}},
      {"ReduceMax", {{B, {N, 3}}, ints({1})}, "bool [N, 1]"},
      {"ReduceL2", {{F32, {2, 3}}}, "float32 [1, 1]"},
      {"ReduceL1", {{F32, {N, 3}}}, "Unsupported [ReduceL1 'n'] would reduce the rows of the batch"},
      {"ReduceProd", {{F32, {N, 3}}, ints({0})}, "Unsupported"},
      {"ReduceMin", {{F32, {N, 3}}, ints({})}, "float32 [N, 3]", {{"noop_with_empty_axes", int64_t{1}}}},
      {"ReduceSum",
       {{F32, {N, 3}}, {I64, {1}}},
       "Unsupported [ReduceSum 'n'] expected 'x1' to be known before a run"},
      {"ReduceSum", {{F32, {N, 3}}, ints({1, -1})}, "FormatError [ReduceSum 'n'] expected each axis once"},
      {"ReduceSum",
       {{F32, {N, 3}}, ints({2})},
       "FormatError [ReduceSum 'n'] expected an axis of 2 dimensions, got 2"},
      {"ArgMax", {{F32, {N, 3}}}, "int64 [N]", {{"axis", int64_t{-1}}, {"keepdims", int64_t{0}}}},
      {"ArgMin", {{F32, {N, 3}}}, "int64 [N, 1]", {{"axis", int64_t{1}}}},
      {"ArgMax", {{F32, {N, 3}}}, "Unsupported [ArgMax 'n'] would compare the rows"},
      {"ArgMax", {{F32, {N, 0}}}, "FormatError", {{"axis", int64_t{1}}}},
      {"Softmax", {{F32, {N, 3}}}, "float32 [N, 3]"},
      {"LogSoftmax", {{F32, {N, 3}}}, "Unsupported", {{"axis", int64_t{0}}}},
      {"Softmax", {{F32, {}}}, "FormatError"},
  });
}

}  // namespace
}  // namespace maas
