// Error of the activations against long double, their special values, and equal bits on targets. Below 0 the
// error of formulas like x (1 + erf x) is measured in units of |x|'s last place.
#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <random>
#include <vector>

#include "maas/kernels/elementwise.h"
#include "targets.h"

namespace maas {
namespace {

using test::bits;

constexpr long double kP = 0.75L, kQ = 1.25L;  // exact in float32

long double sigmoid(long double x) {
  return x < 0 ? std::exp(x) / (1 + std::exp(x)) : 1 / (1 + std::exp(-x));
}
long double hard(long double x, long double p, long double q) {
  return std::fmin(1, std::fmax(0, p * x + q));
}
long double gelu_tanh(long double x) {
  return x / 2 * (1 + std::tanh(std::sqrt(2 / M_PIl) * (x + 0.044715L * x * x * x)));
}

struct Case {
  const char* name;
  MapOp op;
  long double (*exact)(long double);
  double bound;       // ULP of the result
  double bound_of_x;  // or, below 0, ULP of x; 0: the first bound everywhere
};

const Case kCases[] = {
    {"abs", MapOp::kAbs, [](long double x) { return std::fabs(x); }, 0, 0},
    {"neg", MapOp::kNeg, [](long double x) { return -x; }, 0, 0},
    {"floor", MapOp::kFloor, [](long double x) { return std::floor(x); }, 0, 0},
    {"ceil", MapOp::kCeil, [](long double x) { return std::ceil(x); }, 0, 0},
    {"round", MapOp::kRound, [](long double x) { return std::nearbyint(x); }, 0, 0},
    {"sqrt", MapOp::kSqrt, [](long double x) { return std::sqrt(x); }, 0.5, 0},
    {"reciprocal", MapOp::kReciprocal, [](long double x) { return 1 / x; }, 0.5, 0},
    {"relu", MapOp::kRelu, [](long double x) { return x > 0 ? x : 0; }, 0, 0},
    {"leaky_relu", MapOp::kLeakyRelu, [](long double x) { return x < 0 ? kP * x : x; }, 0.5, 0},
    {"thresholded", MapOp::kThresholdedRelu, [](long double x) { return x > kP ? x : 0; }, 0, 0},
    {"elu", MapOp::kElu, [](long double x) { return x > 0 ? x : kP * std::expm1(x); }, 2, 0},
    {"selu", MapOp::kSelu, [](long double x) { return kQ * (x > 0 ? x : kP * std::expm1(x)); }, 2.5, 0},
    {"celu", MapOp::kCelu, [](long double x) { return x > 0 ? x : kP * std::expm1(x / kP); }, 2.5, 0},
    {"gelu", MapOp::kGelu, [](long double x) { return x / 2 * (1 + std::erf(x * M_SQRT1_2l)); }, 2, 1},
    {"gelu_tanh", MapOp::kGeluTanh, gelu_tanh, 2.5, 2.5},
    {"silu", MapOp::kSilu, [](long double x) { return x * sigmoid(x); }, 3, 0},
    {"softsign", MapOp::kSoftsign, [](long double x) { return x / (1 + std::fabs(x)); }, 1.5, 0},
    {"hard_sigmoid", MapOp::kHardSigmoid, [](long double x) { return hard(x, kP, kQ); }, 1, 1},
    {"hard_swish", MapOp::kHardSwish, [](long double x) { return x * hard(x, 1 / 6.0L, 0.5L); }, 2, 1},
    {"mish", MapOp::kMish, [](long double x) { return x * std::tanh(std::log1p(std::exp(x))); }, 4, 0},
};

template <class T>
std::vector<T> arguments() {
  std::mt19937_64 random(3);
  std::vector<T> x = {T(0), T(0.5), T(1.5), T(2.5), T(-0.5), T(-1.5), T(3), T(-3), T(1e6), T(-20)};
  for (int i = 0; i < 40000; ++i) {
    const double unit = std::ldexp(static_cast<double>(random() >> 11), -53) - 0.5;
    for (const double width : {2.0, 12.0, 40.0}) x.push_back(static_cast<T>(unit * width));
    x.push_back(static_cast<T>(std::ldexp(unit, -static_cast<int>(random() % 60))));
  }
  return x;
}

template <class T>
std::vector<T> evaluate(MapOp op, const std::vector<T>& x) {
  std::vector<T> out(x.size());
  map_arrays(op, x.size(), x.data(), nullptr, out.data(), static_cast<T>(kP), static_cast<T>(kQ));
  return out;
}

template <class T>
class ActivationTest : public testing::Test {};
using Floats = testing::Types<float, double>;
TYPED_TEST_SUITE(ActivationTest, Floats);

TYPED_TEST(ActivationTest, ErrorIsWithinTheStatedUlps) {
  using T = TypeParam;
  const auto x = arguments<T>();
  for (const Case& c : kCases) {
    test::for_each_target([&] {
      const auto got = evaluate(c.op, x);
      double worst = 0;
      size_t at = 0;
      for (size_t i = 0; i < x.size(); ++i) {
        const long double exact = c.exact(x[i]);
        double error = test::ulp_error(got[i], exact);
        if (c.bound_of_x > 0 && x[i] < 0) {
          const long double apart = static_cast<long double>(got[i]) - exact;
          error = test::ulp_error(x[i], x[i] + apart) * c.bound / c.bound_of_x;
        }
        if (error > worst) worst = error, at = i;
      }
      testing::Test::RecordProperty(std::string(c.name), std::to_string(worst));
      EXPECT_LE(worst, target_has_fma() || c.bound <= 0.5 ? c.bound : c.bound + 0.5)
          << c.name << " of " << std::hexfloat << x[at] << " gave " << got[at];
    });
  }
}

TYPED_TEST(ActivationTest, SameBitsOnTargetsWithFma) {
  const auto x = arguments<TypeParam>();
  for (const Case& c : kCases) {
    SCOPED_TRACE(c.name);
    test::expect_same_bits_on_fma_targets([&] { return evaluate(c.op, x); });
  }
}

TYPED_TEST(ActivationTest, SpecialValues) {
  using T = TypeParam;
  const T infinity = std::numeric_limits<T>::infinity(), nan = std::numeric_limits<T>::quiet_NaN();
  const T odd_nan = -std::numeric_limits<T>::signaling_NaN();
  const auto of = [&](MapOp op, T x) { return evaluate<T>(op, {x})[0]; };
  test::for_each_target([&] {
    for (const Case& c : kCases) {
      EXPECT_EQ(bits(of(c.op, odd_nan)), bits(c.op == MapOp::kThresholdedRelu ? T(0) : nan)) << c.name;
    }
    EXPECT_EQ(bits(of(MapOp::kSqrt, T(-1))), bits(nan));
    EXPECT_EQ(bits(of(MapOp::kRelu, -T(0))), bits(T(0)));
    EXPECT_EQ(bits(of(MapOp::kSign, -T(0))), bits(T(0)));
    EXPECT_EQ(of(MapOp::kSign, -infinity), T(-1));
    EXPECT_EQ(of(MapOp::kSign, T(3)), T(1));
    EXPECT_EQ(bits(of(MapOp::kSign, odd_nan)), bits(nan));
    EXPECT_EQ(bits(of(MapOp::kCeil, T(-0.5))), bits(-T(0)));
    EXPECT_EQ(bits(of(MapOp::kRound, T(-0.5))), bits(-T(0)));
    EXPECT_EQ(of(MapOp::kReciprocal, -T(0)), -infinity);
    for (const MapOp op : {MapOp::kElu, MapOp::kSelu, MapOp::kCelu, MapOp::kGelu, MapOp::kGeluTanh,
                           MapOp::kSilu, MapOp::kMish, MapOp::kHardSwish, MapOp::kRelu}) {
      EXPECT_EQ(of(op, infinity), infinity) << static_cast<int>(op);
      EXPECT_EQ(of(op, T(0)), T(0)) << static_cast<int>(op);
    }
    for (const MapOp op :
         {MapOp::kGelu, MapOp::kGeluTanh, MapOp::kSilu, MapOp::kMish, MapOp::kHardSwish, MapOp::kSoftsign}) {
      EXPECT_EQ(bits(of(op, -infinity)), bits(nan)) << static_cast<int>(op);  // as the formulas give
    }
    EXPECT_EQ(of(MapOp::kElu, -infinity), static_cast<T>(-kP));
    EXPECT_EQ(of(MapOp::kHardSigmoid, infinity), T(1));
    EXPECT_EQ(of(MapOp::kHardSigmoid, -infinity), T(0));
  });
}

TYPED_TEST(ActivationTest, InvalidArithmeticGivesTheCanonicalNaN) {
  using T = TypeParam;
  const T infinity = std::numeric_limits<T>::infinity(), nan = std::numeric_limits<T>::quiet_NaN();
  const auto of = [](MapOp op, T x, T y) {
    T out;
    map_arrays(op, 1, &x, &y, &out);
    return bits(out);
  };
  test::for_each_target([&] {
    EXPECT_EQ(of(MapOp::kAdd, infinity, -infinity), bits(nan));
    EXPECT_EQ(of(MapOp::kSubtract, infinity, infinity), bits(nan));
    EXPECT_EQ(of(MapOp::kMultiply, infinity, T(0)), bits(nan));
    EXPECT_EQ(of(MapOp::kDivide, T(0), T(0)), bits(nan));
  });
}

}  // namespace
}  // namespace maas
