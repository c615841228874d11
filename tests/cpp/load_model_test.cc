// The C++ face: models from files and memory, their outputs by name and by method.
#include <gtest/gtest.h>

#include <cstdio>
#include <fstream>
#include <functional>

#include "maas/maas.h"
#include "maas/onnx/writer.h"
#include "program/graphs.h"

namespace maas::testing {
namespace {

// y = Sigmoid(h), label = y > 0.5; offers predict and decision_function.
Graph classifier() {
  Graph graph = mlp<double>({3, 1}, "", "Sigmoid");
  graph.initializers.emplace("half", Tensor::of<double>({}, std::vector<double>{0.5}.data()));
  graph.nodes.push_back({"Greater", "", "", {"y", "half"}, {"above"}, {}});
  graph.nodes.push_back({"Cast", "", "", {"above"}, {"label"}, {{"to", onnx_number(DType::kInt64)}}});
  graph.outputs.insert(graph.outputs.begin(), Value{"label", {}});
  graph.metadata = {
      {metadata::kPredict, "label"}, {metadata::kDecision, "h0"}, {metadata::kLabels, "[0, 1]"}};
  return graph;
}

ErrorCode code_of(const std::function<void()>& work) {
  try {
    work();
  } catch (const Error& error) {
    return error.code();
  }
  return ErrorCode::kInternal;
}

TEST(LoadModel, ReadsMemory) {
  const std::string bytes = write_onnx(classifier());
  const Program program = load_model(bytes.data(), bytes.size());
  ASSERT_EQ(program.outputs().size(), 2U);
  EXPECT_EQ(program.outputs()[0].name, "label");
  EXPECT_EQ(program.metadata().at(metadata::kLabels), "[0, 1]");
}

TEST(LoadModel, ReadsAFile) {
  const std::string path = ::testing::TempDir() + "load_model_test.onnx";
  std::ofstream(path, std::ios::binary) << write_onnx(mlp<float>({3, 2}, "", ""));
  const Program program = load_model(path);
  std::remove(path.c_str());
  EXPECT_EQ(run_once(program, numbers<float>(6, 1), 2),
            run_once(compile(mlp<float>({3, 2}, "", "")), numbers<float>(6, 1), 2));
  EXPECT_EQ(code_of([&] { load_model(path); }), ErrorCode::kNotFound);
}

TEST(LoadModel, PutsOutWhatIsAskedFor) {
  const std::string bytes = write_onnx(classifier());
  const Program program = load_model(bytes.data(), bytes.size(), {.outputs = {"decision_function", "y"}});
  ASSERT_EQ(program.outputs().size(), 2U);
  EXPECT_EQ(program.outputs()[0].name, "h0");
  EXPECT_EQ(program.outputs()[1].name, "y");
  EXPECT_EQ(code_of([&] { load_model(bytes.data(), bytes.size(), {.outputs = {"predict_proba"}}); }),
            ErrorCode::kNotFound);
  EXPECT_EQ(code_of([&] { load_model(bytes.data(), bytes.size(), {.outputs = {""}}); }),
            ErrorCode::kNotFound);
}

TEST(LoadModel, RefusesBrokenBytes) {
  const std::string bytes = write_onnx(classifier());
  EXPECT_EQ(code_of([&] { load_model(bytes.data(), bytes.size() / 2); }), ErrorCode::kFormatError);
  LoadOptions small;
  small.limits.bytes = 10;
  EXPECT_EQ(code_of([&] { load_model(bytes.data(), bytes.size(), small); }), ErrorCode::kUnsupported);
}

TEST(RoleValue, FollowsTheMetadataOrElseTheOutputs) {
  Graph graph = classifier();
  check_graph(graph);
  EXPECT_EQ(role_value(graph, "predict"), "label");
  EXPECT_EQ(role_value(graph, "predict_proba"), "");
  EXPECT_EQ(role_value(graph, "decision_function"), "h0");
  EXPECT_EQ(role_value(graph, "transform"), "");
  graph.metadata.clear();  // labels, and one score a row: another tool's classifier
  EXPECT_EQ(role_value(graph, "predict"), "label");
  EXPECT_EQ(role_value(graph, "predict_proba"), "y");
  std::swap(graph.outputs[0], graph.outputs[1]);
  EXPECT_EQ(role_value(graph, "predict"), "y");
  EXPECT_EQ(role_value(graph, "predict_proba"), "");
}

}  // namespace
}  // namespace maas::testing
