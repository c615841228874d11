// The dense layer of training: forward has the bits of gemm, backward is the derivative.
#include "maas/nn/dense_layer.h"

#include <gtest/gtest.h>

#include <array>
#include <cmath>
#include <limits>
#include <vector>

#include "kernels/matrix_cases.h"
#include "maas/base/thread_pool.h"
#include "maas/kernels/gemm.h"
#include "targets.h"

namespace maas {
namespace {

using test::bits;
using test::value_at;

// A layer with its arena and the activations of one batch.
template <class T>
struct Net {
  Net(size_t row_count, size_t input_count, size_t unit_count, Activation<T> end)
      : rows(row_count),
        inputs(input_count),
        units(unit_count),
        w(inputs * units),
        weights(stored(), T{0}),
        weight_gradient(stored(), T{0}),
        bias(row_stride<T>(units), T{0}),
        bias_gradient(row_stride<T>(units), T{0}),
        x(rows * row_stride<T>(inputs), kNan),
        out(rows * row_stride<T>(units), kNan),
        dy(rows * row_stride<T>(units), kNan),
        dx(rows * row_stride<T>(inputs), kNan),
        layer(inputs, units, {weights.data(), weight_gradient.data()}, {bias.data(), bias_gradient.data()},
              end),
        work(layer.work_values(rows, {1, inputs})) {
    fill(1);
  }

  void fill(uint64_t seed) {
    for (size_t i = 0; i < w.size(); ++i) w[i] = value_at<T>(i, seed);
    for (size_t j = 0; j < units; ++j) bias[j] = value_at<T>(j, seed + 1);
    for (size_t i = 0; i < rows; ++i) {
      for (size_t k = 0; k < inputs; ++k) in().row(i)[k] = value_at<T>(i * inputs + k, seed + 2);
    }
    store();
  }
  void store() {
    const PackedMatrix<T> packed(matrix());
    std::copy_n(packed.data(), stored(), weights.data());
  }
  MatrixView<T> matrix() const { return {w.data(), inputs, units, static_cast<ptrdiff_t>(units), 1}; }
  size_t stored() const {
    if (units < kNarrowCols) return units * narrow_stride<T>(inputs);
    return (units + kSliver<T> - 1) / kSliver<T> * kSliver<T> * inputs;
  }
  BatchMatrix<T> in() { return {x.data(), rows, inputs}; }
  LayerPass<T> pass() {
    return {.in = in(),
            .out = {out.data(), rows, units},
            .out_gradient = {dy.data(), rows, units},
            .in_gradient = {dx.data(), rows, inputs},
            .work = work.data()};
  }

  static constexpr T kNan = std::numeric_limits<T>::quiet_NaN();
  size_t rows, inputs, units;
  std::vector<T> w;
  AlignedBuffer<T> weights, weight_gradient, bias, bias_gradient, x, out, dy, dx;
  DenseLayer<T> layer;
  AlignedBuffer<T> work;
};

template <class T>
std::vector<T> by_gemm(Net<T>& net, Activation<T> end) {
  std::vector<T> out(net.rows * net.units);
  const MatrixView<T> x{net.x.data(), net.rows, net.inputs, static_cast<ptrdiff_t>(net.in().ld()), 1};
  gemm(x, net.matrix(), out.data(), net.units, {.bias = net.bias.data()});
  if (end.kind == Activation<T>::kMap) {
    map_arrays(end.op, out.size(), out.data(), nullptr, out.data(), end.p, end.q);
  }
  return out;
}

template <class T>
class DenseLayerTest : public testing::Test {};
using Floats = testing::Types<float, double>;
TYPED_TEST_SUITE(DenseLayerTest, Floats);

TYPED_TEST(DenseLayerTest, ForwardHasTheBitsOfGemmAndReadsWhatTheWeightsAreNow) {
  using T = TypeParam;
  const Activation<T> ends[] = {{}, {Activation<T>::kMap, MapOp::kRelu}, {Activation<T>::kMap, MapOp::kTanh}};
  test::for_each_target([&] {
    for (const auto& [rows, inputs, units] : {std::array<size_t, 3>{1, 10, 64},
                                              {1, 5, 17},
                                              {1, 9, 3},
                                              {2, 64, 1},
                                              {7, 20, 33},
                                              {32, 10, 64},
                                              {33, 7, 15},
                                              {40, 3, 70},
                                              {300, 600, 11},
                                              {150, 300, 130}}) {
      for (const Activation<T>& end : ends) {
        Net<T> net(rows, inputs, units, end);
        for (const uint64_t seed : {1, 20}) {
          net.fill(seed);
          net.layer.forward(net.pass());
          const std::vector<T> expected = by_gemm(net, end);
          for (size_t i = 0; i < expected.size(); ++i) {
            const T got = net.pass().out.row(i / units)[i % units];
            ASSERT_EQ(bits(got), bits(expected[i])) << rows << " " << inputs << " " << units << " at " << i;
          }
        }
      }
    }
  });
}

TYPED_TEST(DenseLayerTest, SameBitsOnAnyNumberOfThreads) {
  using T = TypeParam;
  for (const auto& [rows, inputs, units] : {std::array<size_t, 3>{500, 300, 130}, {400, 700, 12}}) {
    std::vector<T> reference;
    for (const int threads : {1, 2, 4}) {
      set_num_threads(threads);
      Net<T> net(rows, inputs, units, {Activation<T>::kMap, MapOp::kSigmoid});
      net.layer.forward(net.pass());
      for (size_t i = 0; i < net.dy.size(); ++i) net.dy[i] = value_at<T>(i, 6);
      net.layer.backward(net.pass());
      std::vector<T> all(net.weight_gradient.begin(), net.weight_gradient.end());
      for (size_t i = 0; i < rows; ++i) {
        all.insert(all.end(), net.pass().out.row(i), net.pass().out.row(i) + units);
        all.insert(all.end(), net.pass().in_gradient.row(i), net.pass().in_gradient.row(i) + inputs);
      }
      if (reference.empty()) reference = all;
      ASSERT_TRUE(test::same_bits(all, reference)) << threads;
    }
    set_num_threads(1);
  }
}

// The derivative of sum(out · c) by central differences.
TEST(DenseLayer, BackwardIsTheDerivative) {
  const Activation<double> ends[] = {{},
                                     {Activation<double>::kMap, MapOp::kTanh},
                                     {Activation<double>::kMap, MapOp::kSigmoid},
                                     {Activation<double>::kMap, MapOp::kElu, 1}};
  for (const auto& [rows, inputs, units] : {std::array<size_t, 3>{5, 4, 3}, {7, 6, 17}, {3, 20, 70}}) {
    for (const auto& end : ends) {
      Net<double> net(rows, inputs, units, end);
      const auto loss = [&] {
        net.store();
        net.layer.forward(net.pass());
        double sum = 0;
        for (size_t i = 0; i < rows * units; ++i) {
          sum += net.pass().out.row(i / units)[i % units] * value_at<double>(i, 8);
        }
        return sum;
      };
      loss();
      for (size_t i = 0; i < rows * units; ++i) {
        net.pass().out_gradient.row(i / units)[i % units] = value_at<double>(i, 8);
      }
      net.layer.backward(net.pass());
      const auto slope = [&](double& value) {
        const double step = 1e-5, at = value;
        value = at + step;
        const double above = loss();
        value = at - step;
        const double below = loss();
        value = at;
        return (above - below) / (2 * step);
      };
      for (size_t i = 0; i < net.w.size(); i += 1 + net.w.size() / 40) {
        const size_t k = i / units, j = i % units;
        const size_t at = units < kNarrowCols
                              ? j * narrow_stride<double>(inputs) + k
                              : (j / kSliver<double> * inputs + k) * kSliver<double> + j % kSliver<double>;
        EXPECT_NEAR(net.weight_gradient[at], slope(net.w[i]), 1e-7);
      }
      for (size_t j = 0; j < units; j += 5) EXPECT_NEAR(net.bias_gradient[j], slope(net.bias[j]), 1e-7);
      for (size_t i = 0; i < rows * inputs; i += 3) {
        EXPECT_NEAR(net.pass().in_gradient.row(i / inputs)[i % inputs],
                    slope(net.in().row(i / inputs)[i % inputs]), 1e-7);
      }
    }
  }
}

}  // namespace
}  // namespace maas
