#include "maas/kernels/activation_gradient.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <random>
#include <vector>

#include "targets.h"

namespace maas {
namespace {

using Real = long double;
constexpr Real kP = 0.75L, kQ = 1.25L;  // exact in float32

Real sigmoid(Real x) { return x < 0 ? std::exp(x) / (1 + std::exp(x)) : 1 / (1 + std::exp(-x)); }

Real gelu_tanh_slope(Real x) {
  const Real c = std::sqrt(2 / M_PIl);
  const Real t = std::tanh(c * (x + 0.044715L * x * x * x));
  return (1 + t) / 2 + x / 2 * (1 - t * t) * c * (1 + 3 * 0.044715L * x * x);
}
Real mish_slope(Real x) {
  const Real t = std::tanh(std::log1p(std::exp(x)));
  return t + x * (1 - t * t) * sigmoid(x);
}
Real gelu_slope(Real x) {
  return (1 + std::erf(x * M_SQRT1_2l)) / 2 + x * std::exp(-x * x / 2) / std::sqrt(2 * M_PIl);
}
Real hard_sigmoid_slope(Real x) { return kP * x + kQ > 0 && kP * x + kQ < 1 ? kP : 0; }
Real hard_swish_slope(Real x) { return x >= 3 ? 1 : x <= -3 ? 0 : x / 3 + 0.5L; }

struct Case {
  const char* name;
  MapOp op;
  Real (*slope)(Real value);  // of the output where gradient_from_output
  double bound;               // ULP of the slope, which counts as 1/4 at least
};

const Case kCases[] = {
    {"relu", MapOp::kRelu, [](Real y) { return y > 0 ? 1.0L : 0.0L; }, 0},
    {"leaky", MapOp::kLeakyRelu, [](Real y) { return y > 0 ? 1.0L : kP; }, 0},
    {"elu", MapOp::kElu, [](Real y) { return y > 0 ? 1.0L : y + kP; }, 1},
    {"selu", MapOp::kSelu, [](Real y) { return y > 0 ? kQ : y + kP * kQ; }, 1},
    {"celu", MapOp::kCelu, [](Real y) { return y > 0 ? 1.0L : y / kP + 1; }, 1.5},
    {"sigmoid", MapOp::kSigmoid, [](Real y) { return y * (1 - y); }, 1},
    {"tanh", MapOp::kTanh, [](Real y) { return 1 - y * y; }, 1},
    {"softplus", MapOp::kSoftplus, [](Real y) { return -std::expm1(-y); }, 2},
    {"exp", MapOp::kExp, [](Real y) { return y; }, 0},
    {"gelu", MapOp::kGelu, gelu_slope, 4.5},
    {"gelu_tanh", MapOp::kGeluTanh, gelu_tanh_slope, 5},
    {"silu", MapOp::kSilu, [](Real x) { return sigmoid(x) * (1 + x * sigmoid(-x)); }, 4},
    {"softsign", MapOp::kSoftsign, [](Real x) { return 1 / ((1 + std::fabs(x)) * (1 + std::fabs(x))); }, 4},
    {"hard_sigmoid", MapOp::kHardSigmoid, hard_sigmoid_slope, 0},
    {"hard_swish", MapOp::kHardSwish, hard_swish_slope, 2},
    {"mish", MapOp::kMish, mish_slope, 5},
    {"thresholded", MapOp::kThresholdedRelu, [](Real x) { return x > kP ? 1.0L : 0.0L; }, 0},
    {"clip", MapOp::kClip, [](Real x) { return x >= kP && x <= kQ ? 1.0L : 0.0L; }, 0},
};

// Inputs, or outputs of those inputs.
template <class T>
std::vector<T> values(MapOp op) {
  std::mt19937_64 random(5);
  std::vector<T> x = {T(0), T(0.5), T(-0.5), T(3), T(-3), T(1e6), T(-1e6), T(1e30), T(-1e30), T(-20)};
  for (int i = 0; i < 20000; ++i) {
    const double unit = std::ldexp(static_cast<double>(random() >> 11), -53) - 0.5;
    for (const double width : {2.0, 12.0, 40.0}) x.push_back(static_cast<T>(unit * width));
    x.push_back(static_cast<T>(std::ldexp(unit, -static_cast<int>(random() % 60))));
  }
  if (!gradient_from_output(op)) return x;
  std::vector<T> y(x.size());
  map_arrays(op, x.size(), x.data(), nullptr, y.data(), static_cast<T>(kP), static_cast<T>(kQ));
  for (T& v : y) v = std::isfinite(v) ? v : T(1);  // e^x of the largest
  return y;
}

template <class T>
std::vector<T> gradient(MapOp op, const std::vector<T>& value, const std::vector<T>& dy) {
  std::vector<T> out(value.size());
  activation_gradient(op, value.size(), value.data(), dy.data(), out.data(), static_cast<T>(kP),
                      static_cast<T>(kQ));
  return out;
}

template <class T>
class ActivationGradient : public testing::Test {};
using Floats = testing::Types<float, double>;
TYPED_TEST_SUITE(ActivationGradient, Floats);

TYPED_TEST(ActivationGradient, MatchesLongDoubleOnEveryTarget) {
  using T = TypeParam;
  for (const Case& c : kCases) {
    ASSERT_TRUE(has_gradient(c.op));
    const auto value = values<T>(c.op);
    const std::vector<T> ones(value.size(), T(1));
    test::for_each_target([&] {
      const auto got = gradient(c.op, value, ones);
      double worst = 0;
      size_t at = 0;
      for (size_t i = 0; i < value.size(); ++i) {
        const Real exact = c.slope(value[i]);
        const Real unit = std::numeric_limits<T>::epsilon() * std::fmax(std::fabs(exact), 0.25L) / 2;
        const auto error = static_cast<double>(std::fabs(got[i] - exact) / unit);
        if (!(error <= worst)) worst = error, at = i;
      }
      EXPECT_LE(worst, target_has_fma() || c.bound == 0 ? c.bound : c.bound + 1)
          << c.name << " at " << std::hexfloat << value[at] << " gave " << got[at];
    });
  }
}

// The slope is that of map_arrays: central differences in double.
TEST(ActivationGradientCases, IsTheSlopeOfTheActivation) {
  for (const Case& c : kCases) {
    for (const double x : {-2.9, -1.1, -0.3, 0.2, 0.9, 1.1, 2.6}) {
      const double h = 1e-5, p = static_cast<double>(kP), q = static_cast<double>(kQ);
      const double at[] = {x - h, x, x + h}, one = 1;
      double f[3], slope;
      map_arrays(c.op, 3, at, nullptr, f, p, q);
      activation_gradient(c.op, 1, gradient_from_output(c.op) ? f + 1 : at + 1, &one, &slope, p, q);
      EXPECT_NEAR(slope, (f[2] - f[0]) / (2 * h), 1e-8) << c.name << " at " << x;
    }
  }
}

TYPED_TEST(ActivationGradient, EveryLengthInPlaceWithEqualBits) {
  using T = TypeParam;
  for (const Case& c : kCases) {
    SCOPED_TRACE(c.name);
    const auto value = values<T>(c.op);
    for (size_t n = 0; n <= test::kTailLengths<T>; ++n) {
      test::expect_same_bits_on_fma_targets([&] {
        test::GuardedBuffer<T> v(n), dy(n);
        std::vector<T> alone(n);
        for (size_t i = 0; i < n; ++i) {
          v[i] = value[i + 10], dy[i] = static_cast<T>(0.5 * static_cast<double>(i) - 3);
          activation_gradient(c.op, 1, &v[i], &dy[i], &alone[i], static_cast<T>(kP), static_cast<T>(kQ));
        }
        activation_gradient(c.op, n, v.data(), dy.data(), dy.data(), static_cast<T>(kP), static_cast<T>(kQ));
        for (size_t i = 0; i < n; ++i) EXPECT_EQ(test::bits(dy[i]), test::bits(alone[i])) << n << " " << i;
        return alone;
      });
    }
  }
}

TEST(ActivationGradientCases, OthersHaveNone) {
  EXPECT_FALSE(has_gradient(MapOp::kFloor));
  EXPECT_FALSE(has_gradient(MapOp::kAdd));
  EXPECT_EQ(find_activation_gradient<double>(MapOp::kSign), nullptr);
}

// A slope of 0 below is not taken for the slope above: the output is then 0 everywhere.
TEST(ActivationGradientCases, LeakyReluOfSlopeZeroIsRelu) {
  const double y[] = {0.0, -0.0, 2.0}, dy[] = {1, 1, 1};
  double out[3];
  activation_gradient(MapOp::kLeakyRelu, 3, y, dy, out, 0);
  EXPECT_EQ(out[0], 0);
  EXPECT_EQ(out[1], 0);
  EXPECT_EQ(out[2], 1);
}

}  // namespace
}  // namespace maas
