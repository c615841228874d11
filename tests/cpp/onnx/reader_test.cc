// What a model must have, and what it may not.
#include "maas/onnx/reader.h"

#include "onnx/model_bytes.h"

namespace maas {
namespace {

using namespace pb;

void expect_format(const std::string& model_bytes, std::string_view words, const ReadLimits& limits = {}) {
  expect_error(ErrorCode::kFormatError, words, [&] { read_onnx(model_bytes, limits); });
}
void expect_unsupported(const std::string& model_bytes, std::string_view words,
                        const ReadLimits& limits = {}) {
  expect_error(ErrorCode::kUnsupported, words, [&] { read_onnx(model_bytes, limits); });
}

const std::string kRelu = node("Relu", {"x"}, {"y"}, bytes(3, "act"));

std::string with_input(const std::string& input) {
  return model(bytes(11, input) + bytes(1, kRelu) + bytes(12, bytes(1, "y")));
}

TEST(Reader, ReadsAGraph) {
  const Graph graph = read_onnx(of_node(kRelu, 21) + bytes(14, bytes(1, "author") + bytes(2, "me")));
  EXPECT_EQ(graph.name, "g");
  ASSERT_EQ(graph.inputs.size(), 1U);
  EXPECT_EQ(graph.inputs[0].type.shape, (Shape{kBatch, 4}));
  ASSERT_EQ(graph.outputs.size(), 1U);
  EXPECT_EQ(graph.outputs[0].type.shape, (Shape{kBatch, 4}));
  ASSERT_EQ(graph.nodes.size(), 1U);
  EXPECT_EQ(node_text(graph.nodes[0]), "Relu 'act'");
  EXPECT_EQ(graph.metadata.at("author"), "me");
}

TEST(Reader, EveryTruncationIsAnError) {
  const std::string whole = of_node(
      node("Clip", {"x"}, {"y"}, bytes(5, attribute("min", key(2, 5) + memory<float>({0}) + number(20, 1)))),
      9, bytes(5, tensor("w", kFloat, {2}, bytes(9, "12345678"))));
  EXPECT_NO_THROW(read_onnx(whole));
  const size_t opsets = bytes(8, bytes(1, "ai.onnx.ml") + number(2, 4)).size();
  for (size_t size = 0; size < whole.size(); ++size) {
    if (size == whole.size() - opsets) continue;  // ends before an import that nothing needs
    expect_format(whole.substr(0, size), "");
  }
}

TEST(Reader, RefusesModelsWithoutTheirParts) {
  expect_format("", "no graph");
  expect_format(number(1, 10) + bytes(8, number(2, 21)), "no graph");
  expect_format(bytes(7, "") + bytes(8, number(2, 21)), "no ir_version");
  expect_format(number(1, -4) + bytes(7, "") + bytes(8, number(2, 21)), "no ir_version");
  expect_unsupported(number(1, 2) + bytes(7, "") + bytes(8, number(2, 21)), "ir_version 2; expected 3 to");
  expect_unsupported(number(1, 99) + bytes(7, "") + bytes(8, number(2, 21)), "ir_version 99");
  expect_format(number(1, 10) + bytes(7, ""), "imports no opset");
  expect_format(of_node(kRelu, 21) + bytes(7, ""), "two graphs");
  expect_format(of_node(kRelu, 21) + bytes(8, number(2, 20)), "imported with two opsets, 21 and 20");
  expect_format(number(1, 10) + bytes(8, number(2, 21)) + bytes(7, bytes(2, "g")), "output");
  const std::string entry = bytes(14, bytes(1, "k") + bytes(2, "v"));
  expect_format(of_node(kRelu, 21) + entry + entry, "metadata 'k' is given twice");
  expect_format("this is no protobuf", "not a whole ONNX model");
}

TEST(Reader, RefusesVersionsItDoesNotKnow) {
  expect_unsupported(of_node(kRelu, 5), "[Relu 'act'] is of opset 5 of domain ai.onnx; expected 6 to 28");
  expect_unsupported(of_node(kRelu, 29), "is of opset 29 of domain ai.onnx");
  expect_unsupported(of_node(kRelu, -1), "is of opset -1");
  const std::string scaler = node("Scaler", {"x"}, {"y"}, bytes(7, "ai.onnx.ml"));
  const std::string graph =
      bytes(11, value("x", kFloat, {-1, 4})) + bytes(1, scaler) + bytes(12, bytes(1, "y"));
  expect_unsupported(model(graph, 21, 6), "[ai.onnx.ml.Scaler 'y'] is of opset 6 of domain ai.onnx.ml");
  expect_format(number(1, 10) + bytes(7, graph) + bytes(8, number(2, 21)),
                "is of domain ai.onnx.ml, whose opset the model does not import");
  expect_format(of_node(node("Mish", {"x"}, {"y"}), 17),
                "opset 17 of domain ai.onnx has no Mish, which came with 18");
}

TEST(Reader, RefusesWhatItDoesNotRunByName) {
  expect_unsupported(of_node(node("Conv", {"x"}, {"y"}, bytes(3, "c1")), 13),
                     "[Conv 'c1'] operator Conv of domain ai.onnx, opset 13, is not one");
  expect_unsupported(of_node(node("Foo", {"x"}, {"y"}, bytes(7, "com.microsoft")), 13),
                     "[com.microsoft.Foo 'y'] is of domain 'com.microsoft'");
  const std::string function = bytes(25, bytes(1, "Relu"));
  expect_unsupported(of_node(kRelu, 21) + function, "is a function that the model itself defines");
  EXPECT_NO_THROW(read_onnx(of_node(kRelu, 21) + bytes(25, bytes(1, "Other") + bytes(10, "local")) +
                            bytes(8, bytes(1, "local") + number(2, 1))));
  EXPECT_NO_THROW(read_onnx(of_node(node("Relu", {"x"}, {"y"}, bytes(7, "ai.onnx")), 21)));
}

TEST(Reader, RefusesSubgraphsAndOddAttributes) {
  const auto with = [](std::string_view data) {
    return of_node(node("Relu", {"x"}, {"y"}, bytes(5, attribute("a", data))), 21);
  };
  expect_unsupported(with(bytes(6, "") + number(20, 5)), "[Relu 'y' attribute 'a'] holds a subgraph");
  expect_unsupported(with(number(20, 10)), "holds a subgraph");
  expect_unsupported(with(number(20, 11)), "neither numbers, strings nor a tensor");
  expect_format(with(number(3, 1)), "has no type");
  expect_format(with(number(20, 99)), "has no type");
  expect_format(with(number(3, 1) + number(20, 2) + bytes(21, "b")), "refers to an attribute of a function");
  expect_format(with(number(3, 1) + number(20, 2)), "has no attribute 'a'");
  expect_format(with(bytes(3, "1") + number(20, 2)), "field 3 of a AttributeProto has the wrong wire type");
  const std::string twice = bytes(5, attribute("a", number(3, 1) + number(20, 2)));
  expect_format(of_node(node("Relu", {"x"}, {"y"}, twice + twice), 21), "attribute 'a'] is given twice");
}

TEST(Reader, SaysWhichInputsItTakes) {
  expect_format(with_input(bytes(1, "x")), "input 'x'] has no type");
  expect_format(with_input(value("x", 0, {-1, 2})), "input 'x'] has no type");
  expect_unsupported(with_input(value("x", kHalf, {-1, 2})), "input 'x'] has type float16");
  expect_unsupported(with_input(bytes(1, "x") + bytes(2, bytes(1, number(1, kFloat)))),
                     "input 'x'] has no shape");
  expect_unsupported(with_input(value("x", kFloat, {-1, -1})), "input 'x'] has no fixed size of dimension 1");
  expect_unsupported(with_input(bytes(1, "x") + bytes(2, bytes(4, ""))), "is a sequence, map, optional");
  EXPECT_EQ(read_onnx(with_input(value("x", kFloat, {3, 2}))).inputs[0].type.shape, (Shape{3, 2}));
}

TEST(Reader, TakesInputsWithInitializersAsConstants) {
  const std::string add = node("Add", {"x", "w"}, {"y"});
  const Graph graph = read_onnx(of_node(
      add, 21,
      bytes(11, value("w", kFloat, {4})) + bytes(5, tensor("w", kFloat, {4}, bytes(9, std::string(16, 0))))));
  ASSERT_EQ(graph.inputs.size(), 1U);
  EXPECT_EQ(graph.inputs[0].name, "x");
}

TEST(Reader, RefusesGraphsThatAreNoneByTheirNames) {
  expect_format(of_node(node("Relu", {"z"}, {"y"}), 21), "reads 'z'");
  expect_format(of_node(node("Relu", {"y"}, {"y"}), 21), "cycle");
  expect_format(of_node(kRelu, 21, bytes(1, kRelu)), "'y' is defined before");
  const std::string w = bytes(5, tensor("w", kFloat, {0}, ""));
  expect_format(of_node(kRelu, 21, w + w), "initializer 'w'] is given twice");
  expect_format(of_node(kRelu, 21, bytes(5, tensor("", kFloat, {0}, ""))), "an initializer has no name");
  expect_format(model(bytes(11, value("x", kFloat, {-1, 4})) + bytes(1, kRelu) +
                      bytes(12, value("y", kInt64, {-1, 4}))),
                "output 'y'] is declared int64 and computed as float32");
}

TEST(Reader, KeepsItsLimits) {
  ReadLimits limits;
  limits.nodes = 1;
  expect_unsupported(of_node(kRelu, 21, bytes(1, node("Relu", {"y"}, {"z"}))), "more than 1 nodes", limits);
  limits = {};
  limits.name_bytes = 10;
  expect_unsupported(of_node(node("Relu", {"x"}, {"y"}, bytes(3, "a long name")), 21),
                     "a node's name of 11 bytes is longer than the 10", limits);
  limits = {};
  limits.bytes = 64;
  expect_unsupported(of_node(kRelu, 21), "expected a model of at most 64 bytes", limits);
  expect_unsupported(model(bytes(15, "")), "sparse initializer");
}

}  // namespace
}  // namespace maas
