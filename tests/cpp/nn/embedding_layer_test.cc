#include "maas/nn/embedding_layer.h"

#include <gtest/gtest.h>

#include <vector>

#include "layer_harness.h"
#include "maas/base/thread_pool.h"
#include "targets.h"

namespace maas {
namespace {

using test::harness_values;
using test::PaddedBatch;
using test::TestParameter;

template <class T>
class EmbeddingLayerTest : public testing::Test {};
using Floats = testing::Types<float, double>;
TYPED_TEST_SUITE(EmbeddingLayerTest, Floats);

std::vector<int64_t> some_indices(size_t n, size_t rows) {
  std::vector<int64_t> indices(n);
  for (size_t i = 0; i < n; ++i) indices[i] = static_cast<int64_t>(i * 7919 % 104729 % rows);
  return indices;
}

template <class T>
LayerPass<T> pass_of(const std::vector<int64_t>& indices, PaddedBatch<T>& out, PaddedBatch<T>& gradient) {
  LayerPass<T> pass;
  pass.indices = indices.data();
  pass.out = out.matrix(), pass.out_gradient = gradient.matrix();
  return pass;
}

TYPED_TEST(EmbeddingLayerTest, TakesRowsAndAddsThemUpInOrder) {
  using T = TypeParam;
  test::for_each_target([&] {
    for (const size_t cols : {1, 3, 16, 17, 40}) {
      const size_t rows = 5, n = 23;
      const auto indices = some_indices(n, rows);
      TestParameter<T> table(harness_values<T>(rows * cols, -1, 1));
      const EmbeddingLayer<T> layer(rows, cols, table.get());
      PaddedBatch<T> out(n, cols), gradient(n, cols);
      const auto dy = harness_values<T>(n * cols, -1, 1, 3);
      gradient.set(dy);
      LayerPass<T> pass = pass_of(indices, out, gradient);
      layer.forward(pass);
      const auto y = out.get(), plain = table.values();
      std::vector<T> sums(rows * cols, 0);
      for (size_t i = 0; i < n; ++i) {
        const size_t row = static_cast<size_t>(indices[i]);
        for (size_t j = 0; j < cols; ++j) {
          ASSERT_EQ(y[i * cols + j], plain[row * cols + j]);
          sums[row * cols + j] += dy[i * cols + j];
        }
      }
      layer.backward(pass);
      EXPECT_EQ(table.gradients(), sums);
      pass.accumulate = true;
      layer.backward(pass);
      for (size_t i = 0; i < n; ++i) {
        const size_t row = static_cast<size_t>(indices[i]);
        for (size_t j = 0; j < cols; ++j) sums[row * cols + j] += dy[i * cols + j];
      }
      EXPECT_EQ(table.gradients(), sums);
      table.expect_padding_kept();
    }
  });
}

TYPED_TEST(EmbeddingLayerTest, FrozenAndUnusedRows) {
  using T = TypeParam;
  const std::vector<int64_t> indices{2, 2};
  TestParameter<T> table(harness_values<T>(12, -1, 1));
  PaddedBatch<T> out(2, 3), gradient(2, 3);
  gradient.set({1, 2, 3, 10, 20, 30});
  const auto before = table.gradients();
  EmbeddingLayer<T>(4, 3, table.frozen()).backward(pass_of(indices, out, gradient));
  EXPECT_EQ(table.gradients(), before);
  EmbeddingLayer<T>(4, 3, table.get()).backward(pass_of(indices, out, gradient));
  EXPECT_EQ(table.gradients(), (std::vector<T>{0, 0, 0, 0, 0, 0, 11, 22, 33, 0, 0, 0}));
}

TYPED_TEST(EmbeddingLayerTest, BitsOnAnyThreads) {
  using T = TypeParam;
  const size_t rows = 30000, cols = 33, n = 40000;
  const auto indices = some_indices(n, 1000);
  PaddedBatch<T> out(n, cols), gradient(n, cols);
  gradient.set(harness_values<T>(n * cols, -1, 1, 3));
  TestParameter<T> table(harness_values<T>(rows * cols, -1, 1));
  const EmbeddingLayer<T> layer(rows, cols, table.get());
  std::vector<T> gradients, values;
  for (const int threads : {1, 2, 4}) {
    set_num_threads(threads);
    layer.forward(pass_of(indices, out, gradient));
    layer.backward(pass_of(indices, out, gradient));
    if (threads == 1) gradients = table.gradients(), values = out.get();
    EXPECT_TRUE(table.gradients() == gradients);
    EXPECT_TRUE(out.get() == values);
  }
  set_num_threads(2);
}

}  // namespace
}  // namespace maas
