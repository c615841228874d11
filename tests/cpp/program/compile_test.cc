// What the compiler drops, folds, renames and fuses, and that the answer stays what the graph says.
#include "maas/program/compile.h"

#include <gtest/gtest.h>

#include "maas/base/error.h"
#include "program/graphs.h"

namespace maas::testing {
namespace {

size_t steps_of(const Program& program) {
  const std::string text = program.describe();
  return static_cast<size_t>(std::count(text.begin(), text.end(), '\n')) - 1;
}

Tensor floats(Shape shape, std::vector<float> values) { return Tensor::of(std::move(shape), values.data()); }
Tensor ints(Shape shape, std::vector<int64_t> values) { return Tensor::of(std::move(shape), values.data()); }

TEST(Compile, RunsALinearModel) {
  GraphMaker maker;
  maker.input("x", DType::kFloat32, {kBatch, 3})
      .constant("w", floats({3, 1}, {1, 2, 3}))
      .constant("b", floats({1}, {10}))
      .node("Gemm", {"x", "w", "b"}, {"y"})
      .output("y");
  const Program program = compile(maker.graph);
  EXPECT_EQ(run_once<float>(program, {1, 1, 1, 0, 1, 2}, 2), (std::vector<float>{16, 18}));
  EXPECT_EQ(program.outputs()[0].type.shape, (Shape{kBatch, 1}));
}

TEST(Compile, FusesALayerIntoOneStep) {
  EXPECT_EQ(steps_of(compile(mlp<float>({10, 64, 32, 1}, "Relu", "Sigmoid"))), 3u);
  EXPECT_EQ(steps_of(compile(mlp<float>({10, 64, 32, 1}, "Relu", "Sigmoid"), {.outputs = {}, .fuse = false})),
            6u);
}

TEST(Compile, DoesNotFuseAcrossAValueThatIsPutOutOrReadTwice) {
  const Graph graph = mlp<float>({4, 5, 2}, "Relu", "");
  const auto x = numbers<float>(3 * 4, 1);
  const Program both = compile(graph, {.outputs = {"h0", "y"}, .fuse = true});
  EXPECT_EQ(steps_of(both), 3u);
  Scratch scratch(both);
  std::vector<float> h(3 * 5), y(3 * 2);
  void* outputs[] = {h.data(), y.data()};
  const InputArray input = rows_of(x, 4);
  ASSERT_TRUE(both.run(&input, 3, outputs, scratch));
  EXPECT_EQ(y, run_once(compile(graph), x, 3));
  EXPECT_EQ(h, run_once(compile(graph, {.outputs = {"h0"}, .fuse = true}), x, 3));

  GraphMaker twice;
  twice.graph = graph;
  twice.node("Add", {"h0", "a0"}, {"sum"}).output("sum");
  EXPECT_EQ(steps_of(compile(twice.graph, {.outputs = {"sum"}, .fuse = true})), 3u);
}

TEST(Compile, DropsWhatNoOutputNeeds) {
  const Graph graph = mlp<float>({4, 5, 6, 2}, "Relu", "");
  const Program program = compile(graph, {.outputs = {"a0"}, .fuse = true});
  EXPECT_EQ(steps_of(program), 1u);
  EXPECT_EQ(program.outputs()[0].name, "a0");
  EXPECT_EQ(program.outputs()[0].type.shape, (Shape{kBatch, 5}));
}

TEST(Compile, PutsOutInputsInitializersAndTheSameValueTwice) {
  GraphMaker maker;
  maker.input("x", DType::kFloat32, {kBatch, 2})
      .constant("c", floats({3}, {7, 8, 9}))
      .node("Identity", {"x"}, {"same"})
      .node("Relu", {"x"}, {"r"})
      .node("Flatten", {"r"}, {"flat"})
      .output("x")
      .output("c")
      .output("same")
      .output("r")
      .output("flat");
  const Program program = compile(maker.graph);
  Scratch scratch(program);
  const std::vector<float> x = {-1, 2, 3, -4};
  std::vector<float> a(4), c(3), b(4), r(4), f(4);
  void* outputs[] = {a.data(), c.data(), b.data(), r.data(), f.data()};
  const InputArray input = rows_of(x, 2);
  ASSERT_TRUE(program.run(&input, 2, outputs, scratch));
  EXPECT_EQ(a, x);
  EXPECT_EQ(b, x);
  EXPECT_EQ(c, (std::vector<float>{7, 8, 9}));
  EXPECT_EQ(r, (std::vector<float>{0, 2, 3, 0}));
  EXPECT_EQ(f, r);
  // Values that know nothing of rows come out without rows too.
  std::fill(c.begin(), c.end(), 0);
  ASSERT_TRUE(program.run(&input, 0, outputs, scratch));
  EXPECT_EQ(c, (std::vector<float>{7, 8, 9}));
}

TEST(Compile, FoldsConstants) {
  GraphMaker maker;
  maker.input("x", DType::kFloat32, {kBatch, 2})
      .constant("a", floats({2}, {1, -2}))
      .constant("shape", ints({2}, {1, 2}))
      .node("Relu", {"a"}, {"r"})
      .node("Reshape", {"r", "shape"}, {"row"})
      .node("Add", {"x", "row"}, {"y"})
      .output("y");
  const Program program = compile(maker.graph);
  EXPECT_EQ(steps_of(program), 1u);
  EXPECT_EQ(run_once<float>(program, {1, 1}, 1), (std::vector<float>{2, 1}));
}

TEST(Compile, RefusesToFoldMuchMoreThanTheModelHolds) {
  GraphMaker maker;
  maker.input("x", DType::kFloat32, {kBatch, 2})
      .constant("a", floats({1}, {1}))
      .constant("shape", ints({2}, {1 << 14, 1 << 14}))
      .node("Expand", {"a", "shape"}, {"huge"})
      .node("ReduceSum", {"huge"}, {"sum"})
      .node("Add", {"x", "sum"}, {"y"})
      .output("y");
  try {
    compile(maker.graph);
    FAIL() << "expected Unsupported";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kUnsupported) << error.what();
    EXPECT_NE(std::string(error.what()).find("Expand"), std::string::npos) << error.what();
  }
}

TEST(Compile, FollowsShapesKnownBeforeARun) {
  GraphMaker maker;
  maker.input("x", DType::kFloat32, {kBatch, 2, 3})
      .constant("zero", ints({1}, {0}))
      .constant("rest", ints({1}, {-1}))
      .node("Shape", {"x"}, {"shape"})
      .node("Gather", {"shape", "zero"}, {"n"})
      .node("Concat", {"n", "rest"}, {"wanted"}, {{"axis", int64_t{0}}})
      .node("Reshape", {"x", "wanted"}, {"flat"})
      .node("Relu", {"flat"}, {"y"})
      .output("y");
  const Program program = compile(maker.graph);
  EXPECT_EQ(steps_of(program), 1u);
  EXPECT_EQ(program.outputs()[0].type.shape, (Shape{kBatch, 6}));
  EXPECT_EQ(run_once<float>(program, {1, -1, 2, -2, 3, -3}, 1), (std::vector<float>{1, 0, 2, 0, 3, 0}));
}

TEST(Compile, RunsGraphsWithoutABatchOnce) {
  GraphMaker maker;
  maker.input("x", DType::kFloat32, {2, 3})
      .constant("w", floats({3, 2}, {1, 0, 0, 1, 1, 1}))
      .node("MatMul", {"x", "w"}, {"y"})
      .output("y");
  const Program program = compile(maker.graph);
  EXPECT_EQ(run_once<float>(program, {1, 2, 3, 4, 5, 6}, 1), (std::vector<float>{4, 5, 10, 11}));
}

TEST(Compile, MultipliesComputedMatrices) {
  GraphMaker maker;
  maker.input("a", DType::kFloat32, {kBatch, 2, 3})
      .input("b", DType::kFloat32, {kBatch, 3, 2})
      .node("MatMul", {"a", "b"}, {"y"})
      .output("y");
  const Program program = compile(maker.graph);
  Scratch scratch(program);
  const std::vector<float> a = {1, 2, 3, 4, 5, 6, 1, 0, 0, 0, 1, 0}, b = {1, 0, 0, 1, 1, 1, 1, 2, 3, 4, 5, 6};
  std::vector<float> y(8);
  void* outputs[] = {y.data()};
  const InputArray inputs[] = {rows_of(a, 6), rows_of(b, 6)};
  ASSERT_TRUE(program.run(inputs, 2, outputs, scratch));
  EXPECT_EQ(y, (std::vector<float>{4, 5, 10, 11, 1, 2, 3, 4}));
}

TEST(Compile, AppliesAlphaBetaAndTransposes) {
  GraphMaker maker;
  maker.input("x", DType::kFloat64, {kBatch, 2})
      .constant("w", random_tensor<double>({18, 2}, 1))
      .constant("c", random_tensor<double>({1, 18}, 2))
      .node("Gemm", {"x", "w", "c"}, {"y"}, {{"alpha", 0.5F}, {"beta", 2.0F}, {"transB", int64_t{1}}})
      .output("y");
  const auto w = numbers<double>(36, 1), c = numbers<double>(18, 2), x = numbers<double>(2 * 5, 3);
  const auto y = run_once(compile(maker.graph), x, 5);
  for (size_t i = 0; i < 5; ++i) {
    for (size_t j = 0; j < 18; ++j) {
      EXPECT_NEAR(y[i * 18 + j], 0.5 * (x[2 * i] * w[2 * j] + x[2 * i + 1] * w[2 * j + 1]) + 2 * c[j], 1e-15);
    }
  }
}

TEST(Compile, RefusesRowsOfGigabytes) {
  GraphMaker maker;
  maker.input("x", DType::kFloat32, {kBatch, 1})
      .constant("shape", ints({2}, {1, 1 << 30}))
      .node("Expand", {"x", "shape"}, {"a"})
      .node("Sqrt", {"a"}, {"b"})
      .node("ReduceSum", {"b"}, {"y"}, {{"keepdims", int64_t{1}}})
      .output("b");
  EXPECT_THROW(compile(maker.graph), Error);
}

TEST(Compile, MultipliesIntegers) {
  GraphMaker maker;
  maker.input("x", DType::kInt64, {kBatch, 2})
      .constant("w", ints({2, 2}, {1, 2, 3, 4}))
      .node("MatMul", {"x", "w"}, {"y"})
      .output("y");
  EXPECT_EQ(run_once<int64_t>(compile(maker.graph), {1, 1, 5, -1}, 2), (std::vector<int64_t>{4, 6, 2, 6}));
}

TEST(Compile, NamesUnknownOutputs) {
  try {
    compile(mlp<float>({2, 1}, "", ""), {.outputs = {"nothing"}, .fuse = true});
    FAIL() << "expected NotFound";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kNotFound);
  }
}

}  // namespace
}  // namespace maas::testing
