// The same row gives the same bits alone and in any batch, on any number of threads, from any layout, on
// every SIMD target with FMA, fused or not.
#include <gtest/gtest.h>

#include "maas/base/thread_pool.h"
#include "program/graphs.h"
#include "targets.h"

namespace maas::testing {
namespace {

constexpr size_t kBatches[] = {1, 2, 3, 4, 7, 8, 31, 64, 1000};
constexpr size_t kRows = 1000;

template <class T>
struct Case {
  const char* name;
  Graph graph;
};

// Everything that fuses: scaling before, bias, norm and activation after.
template <class T>
Graph decorated() {
  GraphMaker maker;
  maker.input("x", dtype_of<T>, {kBatch, 13})
      .constant("mean", random_tensor<T>({13}, 7))
      .constant("deviation", random_tensor<T>({13}, 8))
      .constant("w0", random_tensor<T>({13, 21}, 1))
      .constant("b0", random_tensor<T>({21}, 2))
      .constant("gain", random_tensor<T>({21}, 3))
      .constant("shift", random_tensor<T>({21}, 4))
      .constant("m", random_tensor<T>({21}, 5))
      .constant("v", Tensor::of({21}, std::vector<T>(21, T{0.75}).data()))
      .constant("w1", random_tensor<T>({3, 21}, 6))
      .node("Sub", {"x", "mean"}, {"centred"})
      .node("Div", {"centred", "deviation"}, {"scaled"})
      .node("MatMul", {"scaled", "w0"}, {"product"})
      .node("Add", {"product", "b0"}, {"biased"})
      .node("BatchNormalization", {"biased", "gain", "shift", "m", "v"}, {"normal"})
      .node("LeakyRelu", {"normal"}, {"hidden"}, {{"alpha", 0.2F}})
      .node("Gemm", {"hidden", "w1"}, {"scores"}, {{"transB", int64_t{1}}})
      .node("Softmax", {"scores"}, {"y"})
      .output("y");
  return maker.graph;
}

template <class T>
std::vector<Case<T>> cases() {
  return {{"linear", mlp<T>({20, 1}, "", "")},
          {"logistic", mlp<T>({20, 1}, "", "Sigmoid")},
          {"small", mlp<T>({10, 64, 32, 1}, "Relu", "Sigmoid")},
          {"wide", mlp<T>({70, 33, 17, 9}, "Tanh", "Softmax")},
          {"decorated", decorated<T>()}};
}

template <class T>
void expect_bits(const std::vector<T>& got, const std::vector<T>& wanted, const std::string& what) {
  ASSERT_EQ(got.size(), wanted.size()) << what;
  ASSERT_EQ(std::memcmp(got.data(), wanted.data(), got.size() * sizeof(T)), 0) << what;
}

template <class T>
class Bits : public ::testing::Test {};
using Types = ::testing::Types<float, double>;
TYPED_TEST_SUITE(Bits, Types);

template <class T>
std::vector<T> reference(const Graph& graph, const std::vector<T>& x) {
  return run_once(compile(graph, {.outputs = {}, .fuse = false}), x, kRows);
}

TYPED_TEST(Bits, AreTheSameForEveryBatchLayoutAndFusion) {
  for (const auto& [name, graph] : cases<TypeParam>()) {
    const size_t items = elements(graph.inputs[0].type.shape);
    const auto x = numbers<TypeParam>(kRows * items, 99);
    const auto wanted = reference(graph, x);
    const size_t width = wanted.size() / kRows;
    for (const bool fuse : {true, false}) {
      const Program program = compile(graph, {.outputs = {}, .fuse = fuse});
      Scratch scratch(program);
      for (const size_t batch : kBatches) {
        for (const ArrayLayout layout : kLayouts) {
          std::vector<TypeParam> out(wanted.size());
          for (size_t row = 0; row < kRows; row += batch) {
            const size_t rows = std::min(batch, kRows - row);
            const std::vector<TypeParam> part(x.begin() + static_cast<ptrdiff_t>(row * items),
                                              x.begin() + static_cast<ptrdiff_t>((row + rows) * items));
            const LaidOut<TypeParam> laid(part, rows, items, layout);
            void* outputs[] = {out.data() + row * width};
            ASSERT_TRUE(program.run(&laid.array, rows, outputs, scratch));
          }
          expect_bits(
              out, wanted,
              std::string(name) + " batch " + std::to_string(batch) + " fuse " + std::to_string(fuse));
        }
      }
    }
  }
}

TYPED_TEST(Bits, AreTheSameOnEveryNumberOfThreads) {
  constexpr size_t kMany = 20'000;
  for (const auto& [name, graph] : cases<TypeParam>()) {
    const Program program = compile(graph);
    const size_t items = elements(graph.inputs[0].type.shape);
    const auto x = numbers<TypeParam>(kMany * items, 98);
    const auto wanted = run_once(program, x, kMany);
    const int before = num_threads();
    for (const int threads : {1, 2, 4}) {
      set_num_threads(threads);
      std::vector<Scratch> scratches;
      for (int i = 0; i < threads; ++i) scratches.emplace_back(program);
      for (const ArrayLayout layout : kLayouts) {
        const LaidOut<TypeParam> laid(x, kMany, items, layout);
        std::vector<TypeParam> out(wanted.size());
        void* outputs[] = {out.data()};
        ASSERT_TRUE(program.run_rows(&laid.array, kMany, outputs, scratches));
        expect_bits(out, wanted, std::string(name) + " threads " + std::to_string(threads));
      }
    }
    set_num_threads(before);
  }
}

TYPED_TEST(Bits, AreTheSameOnEveryTargetWithFma) {
  for (const auto& [name, graph] : cases<TypeParam>()) {
    SCOPED_TRACE(name);
    const auto x = numbers<TypeParam>(kRows * elements(graph.inputs[0].type.shape), 97);
    test::expect_same_bits_on_fma_targets([&] { return run_once(compile(graph), x, kRows); });
  }
}

TYPED_TEST(Bits, AreTheSameFusedAndNotOnEveryTarget) {
  for (const auto& [name, graph] : cases<TypeParam>()) {
    SCOPED_TRACE(name);
    const auto x = numbers<TypeParam>(kRows * elements(graph.inputs[0].type.shape), 96);
    test::for_each_target(
        [&] { expect_bits(run_once(compile(graph), x, kRows), reference(graph, x), name); });
  }
}

// Each activation as the last part of a layer: narrow and wide, for values of every kind.
TYPED_TEST(Bits, AreTheSameForEveryFusedActivation) {
  using T = TypeParam;
  const char* const kOperators[] = {
      "Abs",   "Ceil",    "Celu",        "Clip",      "Elu",       "Erf",  "Exp",
      "Floor", "Gelu",    "HardSigmoid", "HardSwish", "LeakyRelu", "Log",  "LogSoftmax",
      "Mish",  "Neg",     "Reciprocal",  "Relu",      "Round",     "Selu", "Sigmoid",
      "Sign",  "Softmax", "Softplus",    "Softsign",  "Sqrt",      "Tanh", "ThresholdedRelu"};
  constexpr T kInfinity = std::numeric_limits<T>::infinity();
  std::vector<T> x = numbers<T>(100, 5);
  for (size_t i = 0; i < 50; ++i) x[i] *= 100;
  for (const T value :
       {T{0}, -T{0}, kInfinity, -kInfinity, std::numeric_limits<T>::quiet_NaN(),
        std::numeric_limits<T>::denorm_min(), std::numeric_limits<T>::max(), T{1}, T{-1}, T{0.5}}) {
    x.push_back(value);
  }
  const T low = -T{0.5}, high = 3;
  for (const int64_t width : {int64_t{1}, int64_t{5}, int64_t{17}, int64_t{70}}) {
    for (const char* op : kOperators) {
      if (sizeof(T) == 8 && op == std::string("Celu")) continue;  // of float32 alone
      GraphMaker maker;
      std::vector<std::string> inputs = {"h"};
      if (op == std::string("Clip")) inputs = {"h", "low", "high"};
      maker.input("x", dtype_of<T>, {kBatch, 1})
          .constant("w", Tensor::of({1, width}, std::vector<T>(static_cast<size_t>(width), T{1}).data()))
          .constant("low", Tensor::of({}, &low))
          .constant("high", Tensor::of({}, &high))
          .node("MatMul", {"x", "w"}, {"h"})
          .node(op, inputs, {"y"})
          .output("y");
      const Program fused = compile(maker.graph);
      ASSERT_EQ(fused.describe().rfind("1 step,", 0), 0u) << fused.describe();
      expect_bits(run_once(fused, x, x.size()),
                  run_once(compile(maker.graph, {.outputs = {}, .fuse = false}), x, x.size()),
                  op + std::to_string(width));
    }
  }
}

// Scaling in front of a product: by one value or one a feature, either part alone.
TYPED_TEST(Bits, AreTheSameForEveryFusedScaling) {
  using T = TypeParam;
  const auto x = numbers<T>(50 * 7, 6);
  for (const char* op : {"Mul", "Div"}) {
    for (const int parts : {1, 2, 3}) {  // 1: Sub, 2: the other, 3: both
      for (const Shape& shape : {Shape{7}, Shape{}, Shape{1, 7}}) {
        GraphMaker maker;
        maker.input("x", dtype_of<T>, {kBatch, 7})
            .constant("offset", random_tensor<T>(shape, 1))
            .constant("scale", random_tensor<T>(shape, 2))
            .constant("w", random_tensor<T>({7, 18}, 3));
        std::string value = "x";
        if ((parts & 1) != 0) maker.node("Sub", {value, "offset"}, {"s"}), value = "s";
        if ((parts & 2) != 0) maker.node(op, {value, "scale"}, {"t"}), value = "t";
        maker.node("MatMul", {value, "w"}, {"y"}).output("y");
        const Program fused = compile(maker.graph);
        ASSERT_EQ(fused.describe().rfind("1 step,", 0), 0u) << fused.describe();
        expect_bits(run_once(fused, x, 50),
                    run_once(compile(maker.graph, {.outputs = {}, .fuse = false}), x, 50),
                    op + std::to_string(parts));
      }
    }
  }
}

TYPED_TEST(Bits, OfNansAreCanonicalFusedAndNot) {
  const Graph graph = decorated<TypeParam>();
  auto x = numbers<TypeParam>(kRows * 13, 95);
  x[5] = -std::numeric_limits<TypeParam>::quiet_NaN();
  x[50] = std::numeric_limits<TypeParam>::infinity();
  const auto wanted = reference(graph, x);
  expect_bits(run_once(compile(graph), x, kRows), wanted, "nan");
  EXPECT_EQ(test::bits(wanted[0]), test::bits(std::numeric_limits<TypeParam>::quiet_NaN()));
}

}  // namespace
}  // namespace maas::testing
