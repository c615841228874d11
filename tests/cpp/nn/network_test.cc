#include "maas/nn/network.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "maas/base/error.h"
#include "maas/nn/arena.h"
#include "maas/nn/without_dropout.h"
#include "maas/program/compile.h"
#include "nn/small_networks.h"

namespace maas {
namespace {

using testing::GraphBuilder;
using testing::some_values;

template <class T>
class Networks : public ::testing::Test {};
using Types = ::testing::Types<float, double>;
TYPED_TEST_SUITE(Networks, Types);

template <class T>
std::vector<T> predict(const Graph& graph, const std::vector<T>& x, size_t rows, size_t cols) {
  const Program program = compile(graph);
  Scratch scratch(program);
  const auto item = static_cast<ptrdiff_t>(sizeof(T));
  const InputArray input{x.data(), dtype_of<T>, static_cast<ptrdiff_t>(x.size() / rows) * item, item};
  std::vector<T> out(rows * cols);
  void* place = out.data();
  EXPECT_TRUE(program.run(&input, rows, &place, scratch));
  return out;
}

TYPED_TEST(Networks, ForwardIsTheProgramsOfTheGraph) {
  using T = TypeParam;
  GraphBuilder<T> builder(5);
  builder.dense(5, 20).node("Relu").dense(20, 7).node("Tanh").dense(7, 2).node("Sigmoid");
  Network<T> network(builder.finish(), builder.parameters, 0);
  const size_t rows = 9;
  const std::vector<T> x = some_values<T>(rows * 5);
  network.reserve(16);
  const BatchMatrix<T> in = network.input(rows);
  for (size_t i = 0; i < rows; ++i) std::copy_n(x.data() + i * 5, 5, in.row(i));
  network.forward(rows, 0, 0, false);
  const std::vector<T> expected = predict(network.current_graph(), x, rows, 2);
  for (size_t i = 0; i < rows; ++i) {
    for (size_t j = 0; j < 2; ++j) EXPECT_EQ(network.output(rows, false).row(i)[j], expected[i * 2 + j]);
  }
  EXPECT_EQ(network.closing(), Closing::kSigmoid);
  network.output(rows, false).row(0)[0] = -7;
  network.forward(rows, 0, 0, true);  // leaves the closing activation out
  EXPECT_EQ(network.output(rows, false).row(0)[0], -7);
  network.close(rows);
  EXPECT_EQ(network.output(rows, false).row(0)[0], expected[0]);
}

TYPED_TEST(Networks, BatchesBeyondMemoryAreNamedAndLeaveTheNetworkAsItWas) {
  using T = TypeParam;
  GraphBuilder<T> builder(5);
  builder.dense(5, 3);
  Network<T> network(builder.finish(), builder.parameters, 0);
  network.reserve(4);
  T* const before = network.input(4).data;
  try {
    network.reserve(size_t{1} << 45);
    FAIL() << "expected OutOfMemory";
  } catch (const OutOfMemory& error) {
    EXPECT_NE(std::string(error.what()).find("batches of 35184372088832 rows"), std::string::npos)
        << error.what();
  }
  EXPECT_EQ(network.input(4).data, before);
  network.forward(4, 0, 0, false);
}

TYPED_TEST(Networks, ParametersLieInTheArenaWithGradientsAndSlotsAfterThem) {
  using T = TypeParam;
  GraphBuilder<T> builder(3);
  builder.dense(3, 20).batch_norm(20).dense(20, 2);
  Network<T> network(builder.finish(), builder.parameters, 2);
  const size_t size = network.trained_values();
  EXPECT_EQ(network.gradients(), network.values() + size);
  EXPECT_EQ(network.slots(), network.gradients() + size);
  EXPECT_EQ(reinterpret_cast<uintptr_t>(network.values()) % 64, 0U);
  size_t end = 0;
  for (size_t i = 0; i < network.parameters().size(); ++i) {
    const ParameterSpec& spec = network.parameters()[i];
    EXPECT_EQ(spec.name, builder.parameters[i].name);
    if (!spec.trainable) continue;
    EXPECT_EQ(network.offset(i), end);
    end += stored_values<T>(spec);
    const std::vector<T> values = some_values<T>(elements(spec.shape), 0.77);
    std::vector<T> back(values.size());
    network.set_parameter(i, values.data());
    network.get_parameter(i, back.data());
    EXPECT_EQ(back, values);
    network.set_slot(1, i, values.data());
    network.get_slot(0, i, back.data());
    EXPECT_EQ(back, std::vector<T>(values.size()));
    network.get_slot(1, i, back.data());
    EXPECT_EQ(back, values);
  }
  EXPECT_EQ(end, size);
}

TYPED_TEST(Networks, AveragesAreKeptAndPutBack) {
  using T = TypeParam;
  GraphBuilder<T> builder(3);
  builder.dense(3, 4).batch_norm(4).dense(4, 2).batch_norm(2);
  Network<T> network(builder.finish(), builder.parameters, 0);
  const auto averages = [&] {
    std::vector<T> all;
    for (size_t i = 0; i < network.parameters().size(); ++i) {
      if (network.parameters()[i].trainable) continue;
      std::vector<T> values(elements(network.parameters()[i].shape));
      network.get_parameter(i, values.data());
      all.insert(all.end(), values.begin(), values.end());
    }
    return all;
  };
  const size_t rows = 8;
  network.reserve(rows);
  const std::vector<T> x = some_values<T>(rows * 3);
  for (size_t i = 0; i < rows; ++i) std::copy_n(x.data() + i * 3, 3, network.input(rows).row(i));
  const std::vector<T> before = averages();
  network.save_averages();
  network.forward(rows, 0, 0, false);
  EXPECT_NE(averages(), before);
  network.restore_averages();
  EXPECT_EQ(averages(), before);
}

TEST(WithoutDropout, RewiresWhatReadIt) {
  GraphBuilder<float> builder(3);
  builder.dense(3, 4).node("Dropout").node("Dropout").node("Relu").dense(4, 2).node("Dropout");
  Graph graph = builder.finish();
  graph.initializers.emplace("ratio", Tensor::of<float>({}, std::vector<float>{0.3F}.data()));
  graph.nodes[1].inputs.push_back("ratio");
  graph.metadata[metadata::kDecision] = graph.nodes[2].outputs[0];
  Graph bare = without_dropout(graph);
  ASSERT_EQ(bare.nodes.size(), 4U);
  EXPECT_EQ(bare.nodes[1].op, "Relu");
  EXPECT_EQ(bare.nodes[1].inputs[0], graph.nodes[0].outputs[0]);
  EXPECT_EQ(bare.nodes[3].op, "Identity");
  EXPECT_EQ(bare.initializers.count("ratio"), 0U);
  EXPECT_EQ(bare.metadata[metadata::kDecision], graph.nodes[0].outputs[0]);
  const std::vector<float> x = some_values<float>(30);
  EXPECT_EQ(predict(bare, x, 10, 2), predict(graph, x, 10, 2));
}

// A scalar fits one column as it fits any; what is not trained may be read again.
TYPED_TEST(Networks, ScalarsScaleColumns) {
  using T = TypeParam;
  const std::vector<T> x = some_values<T>(6);
  for (const int64_t cols : {1, 3}) {
    GraphBuilder<T> builder(cols);
    const T two = 2;
    builder.graph.initializers.emplace("two", Tensor::of({}, &two));
    Network<T> network(builder.node("Sub", {"two"}).node("Relu").node("Mul", {"two"}).finish(), {}, 0);
    const auto features = static_cast<size_t>(cols), rows = x.size() / features;
    network.reserve(rows);
    for (size_t i = 0; i < rows; ++i) {
      std::copy_n(x.data() + i * features, features, network.input(rows).row(i));
    }
    network.forward(rows, 0, 0, false);
    const std::vector<T> expected = predict(network.current_graph(), x, rows, features);
    for (size_t i = 0; i < x.size(); ++i) {
      EXPECT_EQ(network.output(rows, false).row(i / features)[i % features], expected[i]);
    }
  }
}

TEST(NetworkErrors, NameTheNode) {
  const auto expect_error = [](GraphBuilder<float>& builder, const std::string& text) {
    try {
      const Network<float> network(builder.finish(), builder.parameters, 0);
      ADD_FAILURE() << "expected an error of " << text;
    } catch (const Error& error) {
      EXPECT_NE(std::string(error.what()).find(text), std::string::npos) << error.what();
    }
  };
  GraphBuilder<float> floor(3);
  floor.dense(3, 2).node("Floor");
  expect_error(floor, "[Floor 'v1'] cannot be trained through");
  GraphBuilder<float> residual(3);
  residual.dense(3, 3).node("Relu").node("Add", {"v0"});
  expect_error(residual, "[Add 'v2'] expected input 1 to be an initializer");
  GraphBuilder<float> branch(3);
  branch.dense(3, 3).dense(3, 2);
  branch.graph.nodes[1].inputs[0] = "x";
  expect_error(branch, "only chains of layers can be trained");
  GraphBuilder<float> trained_average(3);
  trained_average.batch_norm(3);
  trained_average.parameters[2].trainable = true;
  expect_error(trained_average, "a moving average");
  GraphBuilder<float> tied(3);
  tied.dense(3, 3).dense(3, 3);
  tied.graph.nodes[1].inputs[1] = "w0";
  expect_error(tied, "[Gemm 'v1'] expected 'w0' to be read once to train");
  GraphBuilder<float> bias_of_positions(1);  // 2 positions of 2 columns, a bias for each position
  bias_of_positions.graph.inputs[0].type = {DType::kInt64, {kBatch, 2}};
  bias_of_positions.add({5, 2}, "table");
  bias_of_positions.graph.nodes.push_back({"Gather", "", "", {"table", "x"}, {"rows"}, {}});
  bias_of_positions.value = "rows";
  const std::string weights = bias_of_positions.add({2, 2}, "w"), bias = bias_of_positions.add({2, 1}, "b");
  expect_error(bias_of_positions.node("MatMul", {weights}).node("Add", {bias}),
               "expected 'b' of 2 values to train, got shape [2, 1]");
  GraphBuilder<float> empty_table(1);
  empty_table.graph.inputs[0].type.dtype = DType::kInt64;
  empty_table.add({0, 4}, "table");
  empty_table.graph.nodes.push_back({"Gather", "", "", {"table", "x"}, {"rows"}, {}});
  empty_table.value = "rows";
  expect_error(empty_table, "a Gather of one row at least");
  for (const auto& [features, units] : {std::pair{0, 4}, std::pair{4, 0}}) {
    GraphBuilder<float> empty(features);
    empty.dense(features, units).dense(units, 2);
    expect_error(empty, "one value a row at least");
  }
  GraphBuilder<float> nothing(3);
  nothing.node("Identity");
  expect_error(nothing, "expected at least one layer");
}

}  // namespace
}  // namespace maas
