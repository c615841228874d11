// Nodes of old opsets as the engine's own. Their values are compared in Python, with ONNX's own runtimes.
#include "maas/onnx/upgrade.h"

#include "maas/onnx/reader.h"
#include "onnx/model_bytes.h"

namespace maas {
namespace {

using namespace pb;

std::string float_attribute(std::string_view name, float value) {
  return bytes(5, attribute(name, key(2, 5) + memory<float>({value}) + number(20, 1)));
}
std::string int_attribute(std::string_view name, int64_t value) {
  return bytes(5, attribute(name, number(3, value) + number(20, 2)));
}
std::string ints_attribute(std::string_view name, std::initializer_list<int64_t> values) {
  return bytes(5, attribute(name, bytes(8, packed(values)) + number(20, 7)));
}

std::vector<std::string> ops(const Graph& graph) {
  std::vector<std::string> names;
  for (const Node& node : graph.nodes) names.push_back(node.op);
  return names;
}

using Names = std::vector<std::string>;

TEST(Upgrade, MakesAttributesInputsOfTheRightType) {
  const std::string clip = node("Clip", {"x"}, {"y"}, float_attribute("max", 2));
  const Graph graph = read_onnx(
      model(bytes(11, value("x", kDouble, {-1, 4})) + bytes(1, clip) + bytes(12, bytes(1, "y")), 9));
  ASSERT_EQ(graph.nodes[0].inputs, (Names{"x", "", "upgraded_0"}));
  const double two = 2;
  EXPECT_EQ(graph.initializers.at("upgraded_0"), Tensor::of({}, &two));
  EXPECT_TRUE(graph.nodes[0].attributes.empty());
}

TEST(Upgrade, MovesAxes) {
  const Graph graph = read_onnx(of_node(node("ReduceSum", {"x"}, {"y"}, ints_attribute("axes", {1})), 11));
  const int64_t one = 1;
  EXPECT_EQ(graph.initializers.at(graph.nodes[0].inputs.at(1)), Tensor::of({1}, &one));
  EXPECT_EQ(graph.outputs[0].type.shape, (Shape{kBatch, 1}));
}

TEST(Upgrade, FlattensSoftmaxOverSeveralDimensions) {
  const std::string old = node("Softmax", {"x"}, {"y"}, int_attribute("axis", 1));
  const auto with_rank = [&](std::initializer_list<int64_t> dims) {
    return read_onnx(
        model(bytes(11, value("x", kFloat, dims)) + bytes(1, old) + bytes(12, bytes(1, "y")), 12));
  };
  EXPECT_EQ(ops(with_rank({-1, 4})), (Names{"Softmax"}));
  const Graph graph = with_rank({-1, 2, 3});
  EXPECT_EQ(ops(graph), (Names{"Reshape", "Softmax", "Reshape"}));
  EXPECT_EQ(graph.outputs[0].type.shape, (Shape{kBatch, 2, 3}));
}

TEST(Upgrade, ExpandsSwish) {
  EXPECT_EQ(ops(read_onnx(of_node(node("Swish", {"x"}, {"y"}), 24))), (Names{"Sigmoid", "Mul"}));
  const std::string scaled = node("Swish", {"x"}, {"y"}, float_attribute("alpha", 0.5F));
  EXPECT_EQ(ops(read_onnx(of_node(scaled, 24))), (Names{"Mul", "Sigmoid", "Mul"}));
}

TEST(Upgrade, TakesConstantsAndDropsZipMaps) {
  const std::string constant = node("Constant", {}, {"c"}, float_attribute("value_float", 2));
  const std::string scale = node("Mul", {"x", "c"}, {"p"});
  const std::string zip = node("ZipMap", {"p"}, {"y"},
                               bytes(7, "ai.onnx.ml") + ints_attribute("classlabels_int64s", {3, 1, 2, 7}));
  const Graph graph = read_onnx(model(bytes(11, value("x", kFloat, {-1, 4})) + bytes(1, constant) +
                                      bytes(1, scale) + bytes(1, zip) + bytes(12, bytes(1, "y"))));
  EXPECT_EQ(ops(graph), (Names{"Mul"}));
  EXPECT_EQ(graph.nodes[0].outputs, (Names{"y"}));
  EXPECT_EQ(graph.metadata.at(metadata::kLabels), "[3, 1, 2, 7]");
}

}  // namespace
}  // namespace maas
