// What is written reads back, and is never more than one file can hold. The bytes are compared in Python.
#include "maas/onnx/writer.h"

#include "maas/onnx/reader.h"
#include "onnx/model_bytes.h"

namespace maas {
namespace {

Graph relu_graph() {
  Graph graph;
  graph.name = "g";
  graph.inputs = {{"x", {DType::kFloat64, {kBatch, 2}}}};
  graph.outputs = {{"y", {}}};
  graph.nodes = {{"Relu", "", "act", {"x"}, {"y"}, {}}};
  graph.metadata = {{"b", "2"}, {"a", ""}};
  return graph;
}

TEST(Writer, ReadsBack) {
  Graph graph = relu_graph();
  const bool flags[] = {true, false};
  graph.initializers["flags"] = Tensor::of({2}, flags);
  graph.initializers["words"] = Tensor::of_strings({1, 2}, {"", "ü"});
  const std::string bytes = write_onnx(graph);
  const Graph read = read_onnx(bytes);
  EXPECT_EQ(read.initializers, graph.initializers);
  EXPECT_EQ(read.metadata, graph.metadata);
  EXPECT_EQ(read.inputs[0].type.shape, graph.inputs[0].type.shape);
  EXPECT_EQ(read.inputs[0].type.dtype, DType::kFloat64);
  EXPECT_EQ(read.nodes[0].name, "act");
  EXPECT_EQ(write_onnx(read), bytes);
}

TEST(Writer, KeepsAttributesOfEveryType) {
  Graph graph;
  graph.inputs = {{"t", {DType::kString, {kBatch}}}};
  graph.outputs = {{"y", {}}};
  const int64_t values[] = {3, -1};
  graph.nodes = {
      {"LabelEncoder",
       kMlDomain,
       "",
       {"t"},
       {"c"},
       {{"keys_strings", std::vector<std::string>{"a", ""}}, {"values_tensor", Tensor::of({2}, values)}}},
      {"LabelEncoder",
       kMlDomain,
       "",
       {"c"},
       {"f"},
       {{"keys_int64s", std::vector<int64_t>{int64_t{1} << 62, -1}},
        {"values_floats", std::vector<float>{0.5F, -0.0F}},
        {"default_float", 1.5F}}},
      {"Cast", "", "", {"f"}, {"y"}, {{"to", int64_t{11}}}}};
  const Graph read = read_onnx(write_onnx(graph));
  ASSERT_EQ(read.nodes.size(), graph.nodes.size());
  for (size_t i = 0; i < read.nodes.size(); ++i)
    EXPECT_EQ(read.nodes[i].attributes, graph.nodes[i].attributes);
}

TEST(Writer, RefusesWhatIsNoGraph) {
  Graph graph = relu_graph();
  graph.nodes[0].inputs[0] = "z";
  pb::expect_error(ErrorCode::kFormatError, "reads 'z'", [&] { write_onnx(graph); });
}

TEST(Writer, RefusesMoreThanOneFileCanHold) {
  Graph graph = relu_graph();
  const Tensor shared = Tensor::of<double>({1 << 20}, std::vector<double>(1 << 20).data());  // 8 MiB
  for (int i = 0; i < 256; ++i) graph.initializers[std::to_string(i)] = shared;
  pb::expect_error(ErrorCode::kUnsupported, "less than the 2 GB that one ONNX file can hold",
                   [&] { write_onnx(graph); });
}

}  // namespace
}  // namespace maas
