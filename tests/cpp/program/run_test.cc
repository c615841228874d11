// How a Program runs: without allocating, on many threads at once, from narrower types, and what it says of
// errors.
#include <gtest/gtest.h>

#include <atomic>
#include <thread>

#include "maas/base/error.h"
#include "maas/base/thread_pool.h"
#include "program/allocations.h"
#include "program/graphs.h"

namespace maas::testing {
namespace {

static_assert(noexcept(std::declval<const Program&>().run(nullptr, 0, nullptr, std::declval<Scratch&>())));

TEST(Run, DoesNotAllocate) {
  const Graph graph = mlp<float>({20, 200, 30, 1}, "Tanh", "Sigmoid");
  const Program program = compile(graph);
  Scratch scratch(program);
  const auto x = numbers<float>(1000 * 20, 1);
  std::vector<float> out(1000);
  void* outputs[] = {out.data()};
  for (const ArrayLayout layout : kLayouts) {
    const LaidOut<float> laid(x, 1000, 20, layout);
    for (const size_t rows : {size_t{0}, size_t{1}, size_t{7}, size_t{1000}}) {
      const size_t before = allocations();
      const RunResult result = program.run(&laid.array, rows, outputs, scratch);
      EXPECT_EQ(allocations(), before);
      EXPECT_TRUE(result);
    }
  }
}

TEST(Run, SharesAProgramBetweenThreads) {
  const Program program = compile(mlp<float>({10, 64, 32, 1}, "Relu", "Sigmoid"));
  const auto x = numbers<float>(500 * 10, 2);
  const auto wanted = run_once(program, x, 500);
  std::atomic<int> wrong{0};
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&] {
      for (int i = 0; i < 20; ++i) wrong += run_once(program, x, 500) != wanted;
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(wrong, 0);
}

TEST(Run, WritesNothingForNoRows) {
  const Program program = compile(mlp<float>({3, 2}, "", ""));
  Scratch scratch(program);
  float out[2] = {5, 6};
  void* outputs[] = {out};
  const InputArray input{nullptr, DType::kFloat32, 12, 4};
  EXPECT_TRUE(program.run(&input, 0, outputs, scratch));
  EXPECT_EQ(out[0], 5);
  std::vector<Scratch> scratches;
  EXPECT_THROW((void)program.run_rows(&input, 0, outputs, scratches), Error);
  scratches.emplace_back(program);
  EXPECT_TRUE(program.run_rows(&input, 0, outputs, scratches));
}

// x as From for a model of double: the same as the values widened beforehand.
template <class From>
void expect_widened() {
  const Program program = compile(mlp<double>({5, 17, 2}, "Relu", ""));
  std::vector<From> x(50 * 5);
  for (size_t i = 0; i < x.size(); ++i) x[i] = static_cast<From>(i % 2 == 0 ? i : 0);
  const std::vector<double> wide(x.begin(), x.end());
  Scratch scratch(program);
  std::vector<double> out(100);
  void* outputs[] = {out.data()};
  const InputArray input = rows_of(x, 5);
  ASSERT_TRUE(program.run(&input, 50, outputs, scratch));
  EXPECT_EQ(out, run_once(program, wide, 50));
}

TEST(Run, TakesNarrowerTypes) {
  expect_widened<float>();
  expect_widened<int32_t>();
  EXPECT_TRUE(widens(DType::kFloat32, DType::kFloat64));
  EXPECT_TRUE(widens(DType::kBool, DType::kFloat32));
  EXPECT_TRUE(widens(DType::kInt32, DType::kInt64));
  EXPECT_FALSE(widens(DType::kFloat64, DType::kFloat32));
  EXPECT_FALSE(widens(DType::kInt64, DType::kFloat64));
  EXPECT_FALSE(widens(DType::kInt32, DType::kFloat32));
  EXPECT_FALSE(widens(DType::kBool, DType::kString));
}

Graph ratio() {
  GraphMaker maker;
  const int64_t seven = 7;
  maker.input("i", DType::kInt64, {kBatch})
      .constant("seven", Tensor::of({}, &seven))
      .node("Div", {"seven", "i"}, {"y"})
      .output("y");
  return maker.graph;
}

TEST(Run, TellsWhichStepFoundTheFirstError) {
  const Program program = compile(ratio());
  std::vector<int64_t> index(100'000, 1);
  std::vector<int64_t> out(index.size());
  void* outputs[] = {out.data()};
  const InputArray input = rows_of(index, 1);
  std::vector<Scratch> scratches;
  for (int i = 0; i < 4; ++i) scratches.emplace_back(program);
  EXPECT_TRUE(program.run_rows(&input, index.size(), outputs, scratches));
  index[70'000] = 0;
  const RunResult result = program.run_rows(&input, index.size(), outputs, scratches);
  EXPECT_EQ(result.status, RunStatus::kZeroDivision);
  EXPECT_EQ(program.message(result).rfind("[Div 'y'] ", 0), 0u) << program.message(result);
}

TEST(Run, DescribesItsSteps) {
  const std::string text = compile(mlp<float>({10, 64, 1}, "Relu", "Sigmoid")).describe();
  EXPECT_NE(text.find("Gemm + bias, Relu 10 -> 64"), std::string::npos) << text;
  EXPECT_NE(text.find("Gemm + bias, Sigmoid 64 -> 1"), std::string::npos) << text;
}

}  // namespace
}  // namespace maas::testing
