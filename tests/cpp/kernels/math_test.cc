// Error in ULP of the transcendental functions against long double, special values, and equal bits on
// targets.
#include <gtest/gtest.h>

#include <cmath>
#include <random>
#include <vector>

#include "maas/kernels/elementwise.h"
#include "targets.h"

namespace maas {
namespace {

using test::bits;
using test::for_each_target;
using test::ulp_error;

struct Case {
  const char* name;
  MapOp op;
  long double (*exact)(long double);
  double bound;          // ULP, targets with FMA
  double bound_without;  // ULP, the tier without
};

long double exact_sigmoid(long double x) {
  return x < 0 ? std::exp(x) / (1 + std::exp(x)) : 1 / (1 + std::exp(-x));
}
long double exact_softplus(long double x) {
  return std::isnan(x) ? x : std::fmax(x, 0.0L) + std::log1p(std::exp(-std::fabs(x)));
}

const Case kCases[] = {
    {"exp", MapOp::kExp, [](long double x) { return std::exp(x); }, 1.0, 1.5},
    {"expm1", MapOp::kExpm1, [](long double x) { return std::expm1(x); }, 2.0, 2.5},
    {"log", MapOp::kLog, [](long double x) { return std::log(x); }, 1.0, 1.5},
    {"log1p", MapOp::kLog1p, [](long double x) { return std::log1p(x); }, 1.0, 1.5},
    {"sigmoid", MapOp::kSigmoid, exact_sigmoid, 2.5, 3.0},
    {"tanh", MapOp::kTanh, [](long double x) { return std::tanh(x); }, 2.5, 3.0},
    {"erf", MapOp::kErf, [](long double x) { return std::erf(x); }, 1.5, 2.0},
    {"softplus", MapOp::kSoftplus, exact_softplus, 2.0, 2.5},
};

// Every kind of number: all exponents, the range where the functions bend, the neighbourhoods of 0, 1 and of
// the limits of exp, and all special values.
template <class T>
std::vector<T> sample_arguments() {
  using Limits = std::numeric_limits<T>;
  std::vector<T> x = {T(0),
                      -T(0),
                      Limits::infinity(),
                      -Limits::infinity(),
                      Limits::quiet_NaN(),
                      Limits::max(),
                      Limits::lowest(),
                      Limits::min(),
                      Limits::denorm_min(),
                      -Limits::denorm_min(),
                      T(1),
                      T(-1)};
  std::mt19937_64 random(7);
  for (int i = 0; i < 100000; ++i) {
    x.push_back(std::bit_cast<T>(static_cast<test::BitsOf<T>>(random())));
    const double unit = std::ldexp(static_cast<double>(random() >> 11), -53);
    for (const double width : {2.0, 40.0, 220.0, 1500.0}) x.push_back(static_cast<T>((unit - 0.5) * width));
    x.push_back(static_cast<T>(1 + std::ldexp(unit - 0.5, -static_cast<int>(random() % 30))));
    x.push_back(static_cast<T>(-1 + std::ldexp(unit, -static_cast<int>(random() % 60))));
    x.push_back(static_cast<T>(std::ldexp(unit - 0.5, -static_cast<int>(random() % 60))));
  }
  return x;
}

template <class T>
std::vector<T> evaluate(MapOp op, const std::vector<T>& x) {
  std::vector<T> out(x.size());
  map_arrays(op, x.size(), x.data(), static_cast<const T*>(nullptr), out.data());
  return out;
}

template <class T>
class MathTest : public testing::Test {};
using Floats = testing::Types<float, double>;
TYPED_TEST_SUITE(MathTest, Floats);

TYPED_TEST(MathTest, ErrorIsWithinTheStatedUlps) {
  const auto x = sample_arguments<TypeParam>();
  std::vector<long double> exact(x.size());
  for (const Case& c : kCases) {
    SCOPED_TRACE(c.name);
    for (size_t i = 0; i < x.size(); ++i) exact[i] = c.exact(x[i]);
    for_each_target([&] {
      const auto got = evaluate(c.op, x);
      size_t worst = 0;
      double error = -1;
      for (size_t i = 0; i < x.size(); ++i) {
        const double e = ulp_error(got[i], exact[i]);
        if (e > error) error = e, worst = i;
      }
      testing::Test::RecordProperty(std::string(c.name) + "_ulp", std::to_string(error));
      EXPECT_LE(error, target_has_fma() ? c.bound : c.bound_without)
          << std::hexfloat << "x " << x[worst] << " got " << got[worst] << " expected " << exact[worst];
    });
  }
}

TYPED_TEST(MathTest, SameBitsOnTargetsWithFma) {
  const auto x = sample_arguments<TypeParam>();
  for (const Case& c : kCases) {
    SCOPED_TRACE(c.name);
    test::expect_same_bits_on_fma_targets([&] { return evaluate(c.op, x); });
  }
}

TYPED_TEST(MathTest, NaNIsCanonicalAndZeroKeepsItsSign) {
  using T = TypeParam;
  const T odd_nan = std::bit_cast<T>(static_cast<test::BitsOf<T>>(~test::BitsOf<T>{0} - 5));
  const auto canonical = bits(std::numeric_limits<T>::quiet_NaN());
  for_each_target([&] {
    for (const Case& c : kCases) {
      SCOPED_TRACE(c.name);
      const auto out = evaluate<T>(c.op, {odd_nan, -odd_nan, T(-2)});
      EXPECT_EQ(bits(out[0]), canonical);
      EXPECT_EQ(bits(out[1]), canonical);
      if (std::isnan(out[2])) {
        EXPECT_EQ(bits(out[2]), canonical);
      }
    }
    for (const MapOp op : {MapOp::kExpm1, MapOp::kLog1p, MapOp::kTanh, MapOp::kErf}) {
      const auto out = evaluate<T>(op, {T(0), -T(0)});
      EXPECT_EQ(bits(out[0]), bits(T(0)));
      EXPECT_EQ(bits(out[1]), bits(-T(0)));
    }
  });
}

}  // namespace
}  // namespace maas
