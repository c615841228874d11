// What check_graph says of whole graphs: names, order, limits, and what is known before a run.
#include "maas/graph/graph.h"

#include <chrono>

#include "graph_cases.h"

namespace maas {
namespace {

Node node(const std::string& op, std::vector<std::string> inputs, std::vector<std::string> outputs,
          Attributes attributes = {}) {
  return {op, "", "", std::move(inputs), std::move(outputs), std::move(attributes)};
}

Graph chain() {
  Graph graph;
  graph.inputs = {{"X", {F32, {N, 4}}}};
  graph.nodes = {node("Relu", {"X"}, {"a"}), node("Neg", {"a"}, {"b"})};
  graph.outputs = {{"b", {}}};
  return graph;
}

TEST(NodeText, NamesOperatorAndNode) {
  EXPECT_EQ(node_text({"Gemm", "", "dense_1", {}, {"y"}, {}}), "Gemm 'dense_1'");
  EXPECT_EQ(node_text({"Scaler", kMlDomain, "", {}, {"", "y"}, {}}), "ai.onnx.ml.Scaler 'y'");
  EXPECT_LT(node_text({"Gemm", "", std::string(5000, 'x'), {}, {}, {}}).size(), 300u);
}

TEST(CheckGraph, TypesEveryValue) {
  Graph graph = chain();
  graph.initializers.emplace("w", ints({1, 2}));
  const Checked checked = check_graph(graph);
  EXPECT_EQ(checked.types.size(), 4u);
  EXPECT_EQ(checked.types.at("w").shape, Shape{2});
  EXPECT_EQ(shape_text(checked.types.at("a").shape), "[N, 4]");
  EXPECT_EQ(shape_text(graph.outputs[0].type.shape), "[N, 4]");
}

TEST(CheckGraph, InitializersOverrideInputs) {
  Graph graph = chain();
  graph.inputs.push_back({"w", {I64, {2}}});
  graph.initializers.emplace("w", ints({1, 2}));
  EXPECT_EQ(verdict(graph), "float32 [N, 4]");
  check_graph(graph);
  EXPECT_EQ(graph.inputs.size(), 1u);
  graph.inputs.push_back({"w", {F32, {2}}});
  EXPECT_EQ(verdict(graph), "FormatError [input 'w'] expected its initializer of type float32, got int64");
}

// A change to the chain and what is said of it.
struct Broken {
  void (*change)(Graph&);
  const char* expected;
};

TEST(CheckGraph, RefusesBrokenGraphs) {
  const Broken cases[] = {
      {[](Graph& g) { std::swap(g.nodes[0], g.nodes[1]); },
       "FormatError [Neg 'b'] expected nodes in order: 'a' is made later, by Relu 'a'"},
      {[](Graph& g) { g.nodes[0].inputs[0] = "b"; },
       "FormatError [Relu 'a'] reads 'b', and the nodes form a cycle"},
      {[](Graph& g) { g.nodes[0].inputs[0] = "a"; },
       "FormatError [Relu 'a'] reads 'a', and the nodes form a cycle"},
      {[](Graph& g) { g.nodes[0].inputs[0] = "Z"; },
       "FormatError [Relu 'a'] reads 'Z', which no node, input or initializer defines"},
      {[](Graph& g) { g.nodes[1].outputs[0] = "a"; },
       "FormatError [Neg 'a'] expected each name once, 'a' is defined before"},
      {[](Graph& g) { g.nodes[1].outputs[0] = "X"; },
       "FormatError [Neg 'X'] expected each name once, 'X' is defined before"},
      {[](Graph& g) { g.inputs.push_back(g.inputs[0]); },
       "FormatError [input 'X'] expected each name once, 'X' is defined before"},
      {[](Graph& g) { g.inputs[0].name = ""; }, "FormatError [input ''] expected a name"},
      {[](Graph& g) { g.inputs[0].type.shape = {N, -3}; },
       "FormatError [input 'X'] expected dimensions of 0 to 2^31, of which only the first may be the batch"},
      {[](Graph& g) { g.inputs[0].type.shape = {4, N}; }, "FormatError [input 'X'] expected dimensions"},
      {[](Graph& g) { g.inputs[0].type.shape = {N, 1 << 20, 1 << 20}; },
       "FormatError [input 'X'] expected at most 2^31 elements, got shape [N, 1048576, 1048576]"},
      {[](Graph& g) { g.inputs[0].type.shape = Shape(17, 1); },
       "FormatError [input 'X'] expected at most 16 dimensions, got 17"},
      {[](Graph& g) { g.outputs[0].name = "c"; },
       "FormatError [output 'c'] no node, input or initializer of this name"},
      {[](Graph& g) { g.outputs.push_back(g.outputs[0]); },
       "FormatError [output 'b'] expected each output once"},
      {[](Graph& g) { g.outputs.clear(); }, "FormatError [graph] expected at least one output"},
      {[](Graph& g) { g.nodes[0].op = "Conv"; },
       "Unsupported [Conv 'a'] Conv (domain ai.onnx, opset 21) is not among the engine's operators"},
      {[](Graph& g) { g.nodes[0].domain = kMlDomain; },
       "Unsupported [ai.onnx.ml.Relu 'a'] Relu (domain ai.onnx.ml, opset 4) is not among the engine's "
       "operators"},
      {[](Graph& g) { g.nodes[0].domain = "maas"; }, "Unsupported [maas.Relu 'a'] Relu (domain maas) is not"},
      {[](Graph& g) { g.nodes[0].inputs.push_back("X"); }, "FormatError [Relu 'a'] expected 1 input, got 2"},
      {[](Graph& g) { g.nodes[0].inputs = {""}; }, "FormatError [Relu 'a'] expected 1 input, got 0"},
      {[](Graph& g) { g.nodes[0] = node("Add", {"", "X"}, {"a"}); },
       "FormatError [Add 'a'] expected input 0, got none"},
      {[](Graph& g) { g.nodes[0] = node("Max", {}, {"a"}); },
       "FormatError [Max 'a'] expected at least 1 input, got 0"},
      {[](Graph& g) { g.nodes[0] = node("Clip", {"X", "X", "X", "X"}, {"a"}); },
       "FormatError [Clip 'a'] expected 1 to 3 inputs, got 4"},
      {[](Graph& g) { g.nodes[0].outputs.push_back("c"); },
       "FormatError [Relu 'a'] expected 1 output, got 2"},
      {[](Graph& g) { g.nodes[0].outputs.clear(); }, "FormatError [Relu ''] expected 1 output, got 0"},
      {[](Graph& g) { g.nodes[0].attributes = {{"alpha", 1.0f}}; },
       "FormatError [Relu 'a'] has no attribute 'alpha'"},
      {[](Graph& g) { g.nodes[0] = node("Softmax", {"X"}, {"a"}, {{"axis", 1.0f}}); },
       "FormatError [Softmax 'a'] expected attribute 'axis' to be an int, got a float"},
  };
  for (const Broken& broken : cases) {
    Graph graph = chain();
    broken.change(graph);
    EXPECT_EQ(verdict(graph).substr(0, std::string(broken.expected).size()), broken.expected)
        << verdict(graph);
  }
}

TEST(CheckGraph, ReadsTrailingAbsentInputs) {
  Graph graph = chain();
  graph.nodes[0] = node("Clip", {"X", "", ""}, {"a"});
  EXPECT_EQ(verdict(graph), "float32 [N, 4]");
  graph.nodes[0] = node("Relu", {"X", ""}, {"a"});
  EXPECT_EQ(verdict(graph), "float32 [N, 4]");
}

TEST(CheckGraph, IsLinearInLongChains) {
  constexpr size_t count = 100'000;
  Graph graph;
  graph.inputs = {{"0", {F32, {N, 4}}}};
  for (size_t i = 0; i < count; ++i) {
    graph.nodes.push_back(node("Relu", {std::to_string(i)}, {std::to_string(i + 1)}));
  }
  graph.outputs = {{std::to_string(count), {}}};
  const auto start = std::chrono::steady_clock::now();
  EXPECT_EQ(verdict(graph), "float32 [N, 4]");
  std::reverse(graph.nodes.begin(), graph.nodes.end());
  EXPECT_EQ(verdict(graph).substr(0, 11), "FormatError");
  graph.nodes.back().inputs[0] = std::to_string(count);
  EXPECT_NE(verdict(graph).find("cycle"), std::string::npos);
  EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(5));
}

// What torch writes for x.view(x.size(0), -1), and what else computes a shape.
TEST(KnownValues, ViewOfTheBatch) {
  Graph graph;
  graph.inputs = {{"X", {F32, {N, 4, 3}}}};
  graph.initializers.emplace("zero", scalar(0));
  graph.initializers.emplace("axes", ints({0}));
  graph.initializers.emplace("open", ints({-1}));
  graph.nodes = {node("Shape", {"X"}, {"shape"}), node("Gather", {"shape", "zero"}, {"rows"}),
                 node("Unsqueeze", {"rows", "axes"}, {"rows_1d"}),
                 node("Concat", {"rows_1d", "open"}, {"to"}, {{"axis", int64_t{0}}}),
                 node("Reshape", {"X", "to"}, {"y"}, {{"allowzero", int64_t{1}}})};
  graph.outputs = {{"y", {}}};
  EXPECT_EQ(verdict(graph), "float32 [N, 12]");
  const Checked checked = check_graph(graph);
  EXPECT_TRUE(mentions_batch(checked.known.at("to")));
  EXPECT_EQ(checked.known.at("to").values<int64_t>()[1], -1);
  EXPECT_EQ(checked.known.count("y"), 0u);

  graph.outputs = {{"to", {}}};
  EXPECT_EQ(verdict(graph), "Unsupported [output 'to'] the number of rows of the batch cannot be an output");
  graph.outputs = {{"y", {}}};
  graph.nodes.insert(graph.nodes.begin() + 2, node("Mul", {"rows", "rows"}, {"square"}));
  EXPECT_EQ(verdict(graph), "Unsupported [Mul 'square'] would compute with the number of rows of the batch");
  graph.nodes[2] = node("Cast", {"rows"}, {"square"}, {{"to", int64_t{1}}});
  EXPECT_EQ(verdict(graph), "Unsupported [Cast 'square'] would compute with the number of rows of the batch");
  graph.nodes[2] = node("Slice", {"shape", "axes", "rows_1d"}, {"square"});
  std::swap(graph.nodes[2], graph.nodes[3]);
  EXPECT_EQ(verdict(graph),
            "Unsupported [Slice 'square'] would compute with the number of rows of the batch");
}

// What tf2onnx writes for a dense layer on three dimensions: the shape goes through int32, the rows are
// merged.
Graph tensordot() {
  const std::vector<float> weights(3 * 2, 1.0F);
  const std::vector<int32_t> front = {0, 1}, width = {2};
  Graph graph;
  graph.inputs = {{"X", {F32, {N, 4, 3}}}};
  graph.initializers.emplace("W", Tensor::of({3, 2}, weights.data()));
  graph.initializers.emplace("front", Tensor::of({2}, front.data()));
  graph.initializers.emplace("width", Tensor::of({1}, width.data()));
  graph.initializers.emplace("merged", ints({-1, 3}));
  graph.nodes = {node("Shape", {"X"}, {"shape"}),
                 node("Cast", {"shape"}, {"narrow"}, {{"to", int64_t{6}}}),
                 node("Gather", {"narrow", "front"}, {"kept"}),
                 node("Concat", {"kept", "width"}, {"joined"}, {{"axis", int64_t{0}}}),
                 node("Cast", {"joined"}, {"to"}, {{"to", int64_t{7}}}),
                 node("Reshape", {"X", "merged"}, {"rows"}),
                 node("MatMul", {"rows", "W"}, {"product"}),
                 node("Reshape", {"product", "to"}, {"y"})};
  graph.outputs = {{"y", {}}};
  return graph;
}

TEST(MergedRows, StayApartWhereAProductIsReshapedBack) {
  Graph graph = tensordot();
  EXPECT_EQ(verdict(graph), "float32 [N, 4, 2]");
  const Checked checked = check_graph(graph);
  EXPECT_EQ(graph.nodes[5].op, "Identity");
  EXPECT_EQ(checked.types.at("product").shape, (Shape{N, 4, 2}));
  EXPECT_TRUE(mentions_batch(checked.known.at("joined")));
}

TEST(MergedRows, AreRefusedWhereAnythingElseReadsThem) {
  const std::string refused = "Unsupported [Reshape 'rows'] would spread the rows of the batch";
  Graph graph = tensordot();
  graph.outputs.push_back({"product", {}});
  EXPECT_EQ(verdict(graph).substr(0, refused.size()), refused);
  graph = tensordot();
  graph.nodes.push_back(node("Relu", {"product"}, {"positive"}));
  EXPECT_EQ(verdict(graph).substr(0, refused.size()), refused);
  graph = tensordot();
  graph.nodes.push_back(node("Relu", {"rows"}, {"positive"}));
  EXPECT_EQ(verdict(graph).substr(0, refused.size()), refused);
  graph = tensordot();
  graph.initializers.at("merged") = ints({-1, 6});
  EXPECT_EQ(verdict(graph).substr(0, refused.size()), refused);
}

TEST(MergedRows, ZeroWouldMeanADimensionOfTheMergedProduct) {
  Graph graph = tensordot();
  graph.initializers.emplace("zero", ints({-1, 0, 4}));
  graph.nodes.back().inputs[1] = "zero";
  EXPECT_EQ(verdict(graph),
            "Unsupported [Reshape 'y'] expected no dimension of 0 after a product of rows merged with other "
            "dimensions");
}

TEST(KnownValues, Int32ThatWouldPassForTheBatchIsReserved) {
  const int32_t value = kBatchValue32;
  Graph graph = chain();
  graph.initializers.emplace("odd", Tensor::of({}, &value));
  EXPECT_EQ(verdict(graph), "FormatError [initializer 'odd'] holds -2147483641, which is reserved");
}

TEST(KnownValues, ArithmeticOfFixedDimensions) {
  Graph graph;
  graph.inputs = {{"X", {F32, {N, 4, 3}}}};
  graph.initializers.emplace("one", ints({1}));
  graph.initializers.emplace("far", ints({INT64_MAX}));
  graph.initializers.emplace("open", ints({-1}));
  graph.initializers.emplace("two", ints({2}));
  graph.nodes = {node("Shape", {"X"}, {"shape"}),
                 node("Slice", {"shape", "one", "far"}, {"rest"}),
                 node("ReduceProd", {"rest"}, {"count"}),
                 node("Div", {"count", "two"}, {"half"}),
                 node("Concat", {"open", "two", "half"}, {"to"}, {{"axis", int64_t{0}}}),
                 node("Cast", {"to"}, {"narrow"}, {{"to", int64_t{6}}}),
                 node("Cast", {"narrow"}, {"wide"}, {{"to", int64_t{7}}}),
                 node("Reshape", {"X", "wide"}, {"y"})};
  graph.outputs = {{"y", {}}};
  EXPECT_EQ(verdict(graph), "float32 [N, 2, 6]");
  EXPECT_EQ(check_graph(graph).known.size(), 7u);
}

// torch's expand: Where(Equal(wanted, -1), 1, wanted).
TEST(KnownValues, ExpandToTheBatch) {
  Graph graph;
  graph.inputs = {{"X", {F32, {N, 4}}}};
  graph.initializers.emplace("row", Tensor::of<float>({1, 1}, std::vector<float>{1}.data()));
  graph.initializers.emplace("rank", ints({2}));
  graph.initializers.emplace("minus", ints({-1}));
  graph.nodes = {node("Shape", {"X"}, {"shape"}),
                 node("ConstantOfShape", {"rank"}, {"ones"}, {{"value", ints({1})}}),
                 node("Mul", {"ones", "minus"}, {"open"}),
                 node("Equal", {"shape", "open"}, {"is_open"}),
                 node("Where", {"is_open", "ones", "shape"}, {"to"}),
                 node("Expand", {"row", "to"}, {"y"}),
                 node("ConstantOfShape", {"shape"}, {"zeros"})};
  graph.outputs = {{"y", {}}, {"zeros", {}}};
  EXPECT_EQ(verdict(graph), "float32 [N, 4]; float32 [N, 4]");
}

TEST(KnownValues, StayFew) {
  Graph graph;
  graph.initializers.emplace("v0", ints({1, 2}));
  for (size_t i = 0; i < 28; ++i) {
    const std::string from = numbered('v', i);
    graph.nodes.push_back(node("Concat", {from, from}, {numbered('v', i + 1)}, {{"axis", int64_t{0}}}));
  }
  graph.outputs = {{"v28", {}}};
  EXPECT_EQ(verdict(graph), "int64 [536870912]");
  EXPECT_LT(check_graph(graph).known.size(), 12u);
}

TEST(Ops, AreListedOnceEach) {
  for (const Op* op : all_ops()) EXPECT_EQ(find_op(op->domain, op->name), op) << op->name;
  EXPECT_EQ(find_op("", "Conv"), nullptr);
  EXPECT_EQ(all_ops().size(), 93u);
}

}  // namespace
}  // namespace maas
