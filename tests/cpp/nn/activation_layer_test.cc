#include "maas/nn/activation_layer.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <memory>
#include <vector>

#include "batch.h"
#include "maas/base/thread_pool.h"
#include "maas/kernels/activation_gradient.h"
#include "maas/kernels/softmax.h"
#include "targets.h"

namespace maas {
namespace {

using test::Batch;

constexpr MapOp kOps[] = {MapOp::kRelu,     MapOp::kLeakyRelu,   MapOp::kElu,       MapOp::kSelu,
                          MapOp::kCelu,     MapOp::kSigmoid,     MapOp::kTanh,      MapOp::kSoftplus,
                          MapOp::kExp,      MapOp::kGelu,        MapOp::kGeluTanh,  MapOp::kSilu,
                          MapOp::kSoftsign, MapOp::kHardSigmoid, MapOp::kHardSwish, MapOp::kMish};

// All layers under test; the last is the softmax.
template <class T>
std::vector<std::unique_ptr<Layer<T>>> layers() {
  std::vector<std::unique_ptr<Layer<T>>> out;
  for (const MapOp op : kOps) out.push_back(std::make_unique<MapLayer<T>>(op, T(0.75), T(1.25)));
  out.push_back(std::make_unique<SoftmaxLayer<T>>());
  return out;
}

template <class T>
struct Steps {
  Batch<T> in, out, out_gradient, in_gradient;
  Steps(size_t rows, size_t cols, T padding)
      : in(rows, cols, padding),
        out(rows, cols, padding),
        out_gradient(rows, cols, padding),
        in_gradient(rows, cols, padding) {
    in.random(1);
    out_gradient.random(2);
  }
  LayerPass<T> pass() {
    LayerPass<T> p;
    p.in = in.matrix(), p.out = out.matrix();
    p.out_gradient = out_gradient.matrix(), p.in_gradient = in_gradient.matrix();
    return p;
  }
  void both(const Layer<T>& layer) {
    layer.forward(pass());
    layer.backward(pass());
  }
  std::vector<T> results() const {
    auto all = out.plain();
    for (const T v : in_gradient.plain()) all.push_back(v);
    return all;
  }
};

// Central differences of Σ out × dy in double.
TEST(ActivationLayer, BackwardIsTheDerivativeOfForward) {
  for (const auto& layer : layers<double>()) {
    Steps<double> run(3, 5, 0.0);
    run.both(*layer);
    const auto objective = [&] {
      layer->forward(run.pass());
      double sum = 0;
      for (size_t i = 0; i < 3; ++i) {
        for (size_t j = 0; j < 5; ++j) sum += run.out(i, j) * run.out_gradient(i, j);
      }
      return sum;
    };
    for (size_t i = 0; i < 3; ++i) {
      for (size_t j = 0; j < 5; ++j) {
        const double x = run.in(i, j), h = 1e-6;
        run.in(i, j) = x + h;
        const double high = objective();
        run.in(i, j) = x - h;
        const double low = objective();
        run.in(i, j) = x;
        EXPECT_NEAR(run.in_gradient(i, j), (high - low) / (2 * h), 1e-8) << i << " " << j;
      }
    }
  }
}

template <class T>
class ActivationLayers : public testing::Test {};
using Floats = testing::Types<float, double>;
TYPED_TEST_SUITE(ActivationLayers, Floats);

TYPED_TEST(ActivationLayers, ForwardHasTheBitsOfThePrograms) {
  using T = TypeParam;
  const auto all = layers<T>();
  for (const size_t cols : {1, 10, 33}) {
    for (size_t k = 0; k < all.size(); ++k) {
      Steps<T> run(5, cols, T(0));
      run.both(*all[k]);
      const auto x = run.in.plain();
      std::vector<T> want(x.size());
      if (k + 1 == all.size()) {
        map_rows(RowOp::kSoftmax, x.data(), 5, cols, cols, want.data(), cols);
      } else {
        map_arrays(kOps[k], x.size(), x.data(), nullptr, want.data(), T(0.75), T(1.25));
      }
      EXPECT_EQ(run.out.plain(), want) << k;
    }
  }
}

TYPED_TEST(ActivationLayers, PaddingNeverMatters) {
  using T = TypeParam;
  for (const auto& layer : layers<T>()) {
    for (const size_t cols : {1, 7, 16, 17}) {
      Steps<T> clean(4, cols, T(0)), dirty(4, cols, std::numeric_limits<T>::quiet_NaN());
      clean.both(*layer);
      dirty.both(*layer);
      EXPECT_EQ(clean.results(), dirty.results());
    }
  }
}

TYPED_TEST(ActivationLayers, SameBitsOnThreadsAndTargets) {
  using T = TypeParam;
  const int before = num_threads();
  for (const auto& layer : layers<T>()) {
    test::expect_same_bits_on_fma_targets([&] {
      std::vector<T> reference;
      for (const int threads : {1, 2, 4}) {
        set_num_threads(threads);
        Steps<T> run(1100, 70, T(0));
        run.both(*layer);
        if (reference.empty()) reference = run.results();
        EXPECT_EQ(run.results(), reference);
      }
      return reference;
    });
  }
  set_num_threads(before);
}

TYPED_TEST(ActivationLayers, UnwantedGradientsAndEmptyBatchesAreSkipped) {
  using T = TypeParam;
  for (const auto& layer : layers<T>()) {
    Steps<T> run(3, 4, T(0));
    auto pass = run.pass();
    layer->forward(pass);
    pass.in_gradient = {};
    layer->backward(pass);
    Steps<T> empty(0, 4, T(0));
    empty.both(*layer);
  }
}

}  // namespace
}  // namespace maas
