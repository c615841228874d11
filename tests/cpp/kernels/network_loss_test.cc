#include "maas/kernels/network_loss.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <vector>

#include "kernels/loss_reference.h"
#include "nn/batch.h"
#include "targets.h"

namespace maas {
namespace {

using test::Batch;
using test::LossCase;

// A batch for one kind: logits, probabilities or any numbers, targets to match.
template <class T>
struct Problem {
  LossCase kind;
  Batch<T> prediction, target, dense, gradient;  // dense: the target with a column each
  std::vector<T> weight;

  Problem(const LossCase& c, size_t rows, size_t cols)
      : kind(c),
        prediction(rows, cols),
        target(rows, c.kind == LossKind::kSparseCategoricalCrossentropy ? 1 : cols),
        dense(rows, cols),
        gradient(rows, cols),
        weight(rows) {
    prediction.random(rows + cols, 5);
    if (test::of_probabilities(c)) {
      prediction.fill([&](size_t i, size_t j) { return 1 / (1 + std::exp(-prediction(i, j))); });
    }
    dense.random(cols, 3);
    const auto own = [&](size_t i) { return (i * 7 + 3) % cols; };
    const bool fraction = c.kind == LossKind::kKlDivergence;
    if (test::of_classes(c.kind)) {
      dense.fill([&](size_t i, size_t j) { return own(i) == j; });
    } else if (c.kind == LossKind::kPoisson) {
      dense.fill([&](size_t i, size_t j) { return (i + j) % 4; });
    } else if (c.kind == LossKind::kBinaryCrossentropy || c.kind == LossKind::kHinge || fraction) {
      dense.fill([&](size_t i, size_t j) { return (i + j) % 3 == 0 ? 0 : (fraction ? 0.4 : 1); });
    } else if (c.kind == LossKind::kSquaredHinge) {
      dense.fill([&](size_t i, size_t j) { return (i + j) % 3 == 0 ? -1 : 1; });
    }
    if (c.kind == LossKind::kSparseCategoricalCrossentropy) {
      target.fill([&](size_t i, size_t) { return own(i); });
    } else {
      target.fill([&](size_t i, size_t j) { return dense(i, j); });
    }
    for (size_t i = 0; i < rows; ++i) weight[i] = static_cast<T>((i % 5) * 0.5);
  }

  double run(bool weighted, T scale = T(0.25), bool gradient_wanted = true) {
    LossRows<T> s;
    s.kind = kind.kind, s.from_logits = kind.from_logits;
    s.label_smoothing = static_cast<T>(kind.smoothing);
    s.delta = static_cast<T>(test::kReferenceDelta);
    s.rows = prediction.matrix().rows, s.cols = prediction.matrix().cols;
    s.ld = prediction.matrix().ld(), s.target_ld = target.matrix().ld();
    s.prediction = prediction.matrix().data, s.target = target.matrix().data;
    s.weight = weighted ? weight.data() : nullptr;
    s.gradient = gradient_wanted ? gradient.matrix().data : nullptr;
    s.gradient_scale = scale;
    return sum_loss(s);
  }

  void expect_reference(bool weighted) {
    const double sum = run(weighted);
    test::Real want = 0, size = 0;
    const double unit = std::numeric_limits<T>::epsilon();
    for (size_t i = 0; i < weight.size(); ++i) {
      const T* p = prediction.matrix().row(i);
      const T* t = dense.matrix().row(i);
      const size_t cols = prediction.matrix().cols;
      const auto row = test::reference_row<T>(kind, test::Row(p, p + cols), test::Row(t, t + cols));
      const test::Real w = weighted ? weight[i] : T(1);
      want += w * row.value;
      size += w * std::fabs(row.value) + w;
      for (size_t j = 0; j < cols; ++j) {
        const auto exact = static_cast<double>(row.slope[j] * w * 0.25L);
        ASSERT_NEAR(gradient(i, j), exact, unit * (8 * std::fabs(exact) + 4)) << i << " " << j;
      }
    }
    const auto cols = static_cast<double>(prediction.matrix().cols);
    ASSERT_NEAR(sum, static_cast<double>(want), unit * cols * 4 * static_cast<double>(size));
  }
};

template <class T>
class NetworkLoss : public testing::Test {};
using Floats = testing::Types<float, double>;
TYPED_TEST_SUITE(NetworkLoss, Floats);

// Narrow and wide rows, whole and broken blocks, padding of NaN.
TYPED_TEST(NetworkLoss, MatchesLongDoubleOnEveryTarget) {
  using T = TypeParam;
  for (const LossCase& c : test::kLossCases) {
    SCOPED_TRACE(testing::Message() << "kind " << static_cast<int>(c.kind) << " logits " << c.from_logits);
    for (const size_t cols : {1, 2, 3, 10, 16, 17, 33, 70}) {
      for (const size_t rows : {0, 1, 7, 64, 70, 131}) {
        SCOPED_TRACE(testing::Message() << rows << " x " << cols);
        test::for_each_target([&] {
          Problem<T> problem(c, rows, cols);
          problem.expect_reference(false);
          problem.expect_reference(true);
        });
        if (testing::Test::HasFailure()) return;
      }
    }
  }
}

TYPED_TEST(NetworkLoss, SameBitsOnTargetsWithFma) {
  using T = TypeParam;
  for (const LossCase& c : test::kLossCases) {
    SCOPED_TRACE(static_cast<int>(c.kind));
    for (size_t cols = 1; cols <= test::kTailLengths<T>; ++cols) {
      for (const size_t rows : {1, 5, 37}) {
        test::expect_same_bits_on_fma_targets([&] {
          Problem<T> problem(c, rows, cols);
          std::vector<double> out{problem.run(true)};
          for (const T v : problem.gradient.plain()) out.push_back(v);
          return out;
        });
      }
    }
  }
}

TYPED_TEST(NetworkLoss, TheSumDoesNotDependOnWhetherTheGradientIsWanted) {
  using T = TypeParam;
  for (const LossCase& c : test::kLossCases) {
    for (const size_t cols : {1, 10, 40}) {
      Problem<T> problem(c, 70, cols);
      EXPECT_EQ(problem.run(true), problem.run(true, T(1), false));
    }
  }
}

// One row of given predictions and targets.
template <class T>
std::vector<double> one(LossKind kind, bool logits, const std::vector<double>& p,
                        const std::vector<double>& t) {
  Batch<T> prediction(1, p.size()), target(1, t.size()), gradient(1, p.size());
  prediction.fill([&](size_t, size_t j) { return p[j]; });
  target.fill([&](size_t, size_t j) { return t[j]; });
  LossRows<T> s;
  s.kind = kind, s.from_logits = logits, s.rows = 1, s.cols = p.size();
  s.ld = prediction.matrix().ld(), s.target_ld = target.matrix().ld();
  s.prediction = prediction.matrix().data, s.target = target.matrix().data;
  s.gradient = gradient.matrix().data;
  std::vector<double> out{sum_loss(s)};
  for (const T g : gradient.plain()) out.push_back(g);
  return out;
}
using Numbers = std::vector<double>;

TYPED_TEST(NetworkLoss, LargeLogitsNeitherOverflowNorCancel) {
  using T = TypeParam;
  const double infinity = HUGE_VAL;
  const auto binary = LossKind::kBinaryCrossentropy;
  const auto sparse = LossKind::kSparseCategoricalCrossentropy;
  test::for_each_target([&] {
    EXPECT_EQ(one<T>(binary, true, {1000}, {1}), (Numbers{0, 0}));
    EXPECT_EQ(one<T>(binary, true, {-1000}, {1}), (Numbers{1000, -1}));
    EXPECT_EQ(one<T>(binary, true, {1000}, {0}), (Numbers{1000, 1}));
    EXPECT_EQ(one<T>(binary, true, {-infinity}, {0}), (Numbers{0, 0}));
    EXPECT_EQ(one<T>(binary, true, {infinity}, {0}), (Numbers{infinity, 1}));
    const auto sure = one<T>(binary, true, {60}, {1});  // e^-60, where 1 - sigmoid is 0
    EXPECT_NEAR(sure[0] / std::exp(-60.0), 1, 1e-6);
    EXPECT_NEAR(sure[1] / -std::exp(-60.0), 1, 1e-6);
    EXPECT_EQ(one<T>(sparse, true, {1000, -1000, 0}, {0}), (Numbers{0, 0, 0, 0}));
    EXPECT_EQ(one<T>(sparse, true, {1000, -1000, 0}, {1}), (Numbers{2000, 1, -1, 0}));
    EXPECT_EQ(one<T>(sparse, true, {0, -infinity}, {0}), (Numbers{0, 0, 0}));
    EXPECT_EQ(one<T>(sparse, true, {0, -infinity}, {1})[0], infinity);
  });
}

TYPED_TEST(NetworkLoss, WideRowsTakeTheSameExtremes) {
  using T = TypeParam;
  const auto sparse = LossKind::kSparseCategoricalCrossentropy;
  Numbers z(40, -HUGE_VAL);
  z[3] = 1000, z[38] = 999;
  test::for_each_target([&] {
    const auto out = one<T>(sparse, true, z, {38});
    EXPECT_NEAR(out[0], 1 + std::log1p(std::exp(-1.0)), 1e-6);
    EXPECT_NEAR(out[1 + 3], 1 / (1 + std::exp(-1.0)), 1e-6);
    EXPECT_EQ(out[1], 0);
  });
}

TYPED_TEST(NetworkLoss, ProbabilitiesAreClippedAsInKeras) {
  using T = TypeParam;
  const auto binary = LossKind::kBinaryCrossentropy;
  const auto sparse = LossKind::kSparseCategoricalCrossentropy;
  const double low = static_cast<T>(1e-7), high = static_cast<T>(1.0 - 1e-7);
  test::for_each_target([&] {
    EXPECT_NEAR(one<T>(binary, false, {0}, {1})[0], -std::log(low), 1e-5);
    EXPECT_NEAR(one<T>(binary, false, {1}, {0})[0], -std::log(1 - high), 1e-5);
    EXPECT_NEAR(one<T>(binary, false, {1}, {1})[0], -std::log(high), 1e-8);
    EXPECT_EQ(one<T>(binary, false, {0}, {1})[1], 0);  // no slope where it is clipped
    EXPECT_NEAR(one<T>(sparse, false, {1, 0}, {1})[0], -std::log(low), 1e-5);
    EXPECT_NEAR(one<T>(sparse, false, {2, 2}, {1})[0], std::log(2.0), 1e-6);  // shares of the sum
    EXPECT_NEAR(one<T>(LossKind::kKlDivergence, false, {0, 1}, {1, 0})[0], -std::log(low), 1e-4);
  });
}

TYPED_TEST(NetworkLoss, NaNAndClassesThatAreNoneShow) {
  using T = TypeParam;
  const double nan = std::nan("");
  for (const LossCase& c : test::kLossCases) {
    for (const size_t cols : {1, 3, 20}) {
      test::for_each_target([&] {
        const size_t targets = c.kind == LossKind::kSparseCategoricalCrossentropy ? 1 : cols;
        Numbers p(cols, 0.5);
        p[cols - 1] = nan;
        EXPECT_TRUE(std::isnan(one<T>(c.kind, c.from_logits, p, Numbers(targets, 0))[0]))
            << static_cast<int>(c.kind) << " " << cols;
      });
    }
  }
  for (const double label : {-1.0, 3.0, 0.5, nan}) {
    for (const bool logits : {false, true}) {
      const auto out = one<T>(LossKind::kSparseCategoricalCrossentropy, logits, {0.2, 0.3, 0.5}, {label});
      EXPECT_TRUE(std::isnan(out[0])) << label;
    }
  }
}

}  // namespace
}  // namespace maas
