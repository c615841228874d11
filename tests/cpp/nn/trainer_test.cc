#include "maas/nn/trainer.h"

#include <gtest/gtest.h>

#include <cmath>
#include <vector>

#include "maas/base/error.h"
#include "maas/base/interrupt.h"
#include "maas/base/thread_pool.h"
#include "nn/small_networks.h"
#include "program/allocations.h"

namespace maas {
namespace {

using testing::GraphBuilder;
using testing::rows_of;
using testing::some_values;

template <class T>
class Trainers : public ::testing::Test {};
using Types = ::testing::Types<float, double>;
TYPED_TEST_SUITE(Trainers, Types);

template <class T>
GraphBuilder<T> mixed_network() {
  GraphBuilder<T> builder(10);
  builder.dense(10, 64).batch_norm(64).node("Relu").node("Dropout").dense(64, 32).node("Gelu");
  builder.dense(32, 1).node("Sigmoid");
  return builder;
}

template <class T>
Trainer<T> make_trainer(GraphBuilder<T> builder, size_t metrics = 0) {
  LossOptions loss;
  loss.kind = LossKind::kBinaryCrossentropy;
  std::vector<MetricOptions> options;
  for (const char* name : {"accuracy", "mae"}) {
    if (options.size() < metrics) options.push_back(metric_by_name(name, loss.kind, 1));
  }
  for (ParameterOptions& parameter : builder.parameters) parameter.l2 = 1e-3;
  OptimizerOptions optimizer;
  optimizer.global_clip_norm = 1;
  return Trainer<T>(builder.finish(), builder.parameters, loss, options, optimizer, 1, false);
}

template <class T>
struct Data {
  std::vector<T> x = some_values<T>(500 * 10), y = std::vector<T>(500);
  std::vector<double> weight = std::vector<double>(500, 0.5), rates = std::vector<double>(500, 0.01);
  std::vector<uint32_t> order = std::vector<uint32_t>(500);

  Data() {
    for (uint32_t i = 0; i < 500; ++i) {
      order[i] = i * 7 % 500;
      y[i] = x[i * 10] > 0 ? 1 : 0;
    }
  }
  TrainingRows rows() const { return {rows_of(x, 10), rows_of(y, 1), {weight.data(), 500, 1}}; }
  VectorView<uint32_t> shuffled(size_t n) const { return {order.data(), n, 1}; }
  VectorView<double> learning_rates() const { return {rates.data(), rates.size(), 1}; }
};

TYPED_TEST(Trainers, StepsAllocateNothing) {
  using T = TypeParam;
  if (!testing::counts_allocations()) GTEST_SKIP() << "another allocator";
  const Data<T> data;
  for (const size_t metrics : {0, 2}) {
    Trainer<T> trainer = make_trainer<T>(mixed_network<T>(), metrics);
    const auto allocations_of = [&](size_t rows) {
      const size_t before = testing::allocations();
      EXPECT_EQ(trainer.run(data.rows(), data.shuffled(rows), 32, data.learning_rates()).steps,
                (rows + 31) / 32);
      return testing::allocations() - before;
    };
    allocations_of(500);
    EXPECT_EQ(allocations_of(64), allocations_of(500));
    EXPECT_LE(allocations_of(500), 1U);  // the metrics of the result
  }
}

TYPED_TEST(Trainers, LossFalls) {
  using T = TypeParam;
  const Data<T> data;
  Trainer<T> trainer = make_trainer<T>(mixed_network<T>(), 1);
  double first = 0, last = 0;
  for (size_t epoch = 0; epoch < 20; ++epoch) {
    const TrainResult result = trainer.run(data.rows(), data.shuffled(500), 32, data.learning_rates());
    EXPECT_EQ(result.loss.weight, 500);
    (epoch == 0 ? first : last) = result.loss.loss / result.loss.weight;
  }
  EXPECT_LT(last, 0.6 * first);
  const TrainResult result = trainer.evaluate(data.rows());
  EXPECT_GT(finish_metric(trainer.metrics()[0], result.metrics[0]), 0.9);
}

TYPED_TEST(Trainers, ThreadsGiveTheSameBits) {
  using T = TypeParam;
  GraphBuilder<T> builder(130);
  builder.dense(130, 520).batch_norm(520).node("Relu").node("Dropout").dense(520, 260).node("Tanh");
  builder.dense(260, 20).node("Softmax");
  const std::vector<T> x = some_values<T>(400 * 130), y = some_values<T>(400 * 20);
  const std::vector<double> rates(2, 1e-3);
  const int threads = num_threads();
  std::vector<std::vector<T>> found;
  for (const int count : {1, 2, 4}) {
    set_num_threads(count);
    Trainer<T> trainer(builder.finish(), builder.parameters, {}, {}, {}, 1, false);
    trainer.run({rows_of(x, 130), rows_of(y, 20), {}}, {}, 200, {rates.data(), 2, 1});
    trainer.evaluate({rows_of(x, 130), rows_of(y, 20), {}});
    Network<T>& network = trainer.network();
    found.emplace_back(network.values(), network.values() + 4 * network.trained_values());
  }
  set_num_threads(threads);
  EXPECT_EQ(found[0], found[1]);
  EXPECT_EQ(found[0], found[2]);
}

// Interrupts are looked for between steps alone: the weights are those of a number of whole steps.
size_t looks = 0, stop_at = 0;
bool stop_sometime() { return ++looks > stop_at; }

TYPED_TEST(Trainers, InterruptsComeBetweenSteps) {
  using T = TypeParam;
  const Data<T> data;
  const auto all_values = [](Trainer<T>& trainer) {
    Network<T>& network = trainer.network();
    return std::vector<T>(network.values(), network.values() + network.trained_values());
  };
  for (stop_at = 0; stop_at < 3; ++stop_at) {
    looks = 0;
    Trainer<T> stopped = make_trainer<T>(mixed_network<T>());
    Trainer<T> other = make_trainer<T>(mixed_network<T>());
    set_interrupt_hook(stop_sometime);
    bool interrupted = false;
    try {
      for (;;) stopped.run(data.rows(), {}, 100, data.learning_rates());
    } catch (const Interrupted&) {
      interrupted = true;
    }
    set_interrupt_hook(nullptr);
    EXPECT_TRUE(interrupted);
    const uint64_t steps = stopped.optimizer().iterations();
    while (other.optimizer().iterations() + 5 <= steps) {
      other.run(data.rows(), {}, 100, data.learning_rates());
    }
    std::vector<uint32_t> rest((steps - other.optimizer().iterations()) * 100);
    for (uint32_t i = 0; i < rest.size(); ++i) rest[i] = i;
    if (!rest.empty()) other.run(data.rows(), {rest.data(), rest.size(), 1}, 100, data.learning_rates());
    EXPECT_EQ(other.optimizer().iterations(), steps);
    EXPECT_EQ(all_values(stopped), all_values(other));
  }
}

TYPED_TEST(Trainers, PaddingOfWeightsStaysZero) {
  using T = TypeParam;
  const Data<T> data;
  Trainer<T> trainer = make_trainer<T>(mixed_network<T>());
  trainer.run(data.rows(), data.shuffled(500), 32, data.learning_rates());
  Network<T>& network = trainer.network();
  for (size_t i = 0; i < network.parameters().size(); ++i) {
    const ParameterSpec& spec = network.parameters()[i];
    if (!spec.trainable) continue;
    const T* stored = network.values() + network.offset(i);
    std::vector<T> plain(elements(spec.shape));
    AlignedBuffer<T> again(stored_values<T>(spec));
    load_parameter(spec, stored, plain.data());
    store_parameter(spec, plain.data(), again.data());
    EXPECT_TRUE(std::equal(again.begin(), again.end(), stored)) << spec.name;
  }
}

}  // namespace
}  // namespace maas
