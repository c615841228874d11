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

template <class T>
struct Arguments {
  std::vector<T> x, y;

  Arguments() {
    using Limits = std::numeric_limits<T>;
    std::mt19937_64 random(11);
    const auto unit = [&] { return std::ldexp(static_cast<double>(random() >> 11), -53); };
    const double most = std::log2(static_cast<double>(Limits::max()));
    for (int i = 0; i < 60000; ++i) {
      // Results over the whole range of exponents; x from near 1 to the ends.
      const double log2_x = (unit() - 0.5) * 2 * most * std::ldexp(1.0, -static_cast<int>(random() % 60));
      add(static_cast<T>(std::exp2(log2_x)), static_cast<T>((unit() - 0.5) * 2.2 * most / log2_x));
      add(static_cast<T>(unit() * 10), static_cast<T>((unit() - 0.5) * 20));
      add(static_cast<T>((unit() - 0.5) * 40), static_cast<T>(static_cast<int>(random() % 41) - 20));
      add(std::bit_cast<T>(static_cast<test::BitsOf<T>>(random())),
          std::bit_cast<T>(static_cast<test::BitsOf<T>>(random())));
      add(static_cast<T>(Limits::min() * unit()), static_cast<T>(unit() * 1.1));
    }
    for (const T a : special()) {
      for (const T b : special()) add(a, b);
    }
  }
  static std::vector<T> special() {
    using Limits = std::numeric_limits<T>;
    std::vector<T> out = {T(0),
                          T(0.5),
                          T(1),
                          T(1.5),
                          T(2),
                          T(3),
                          T(4),
                          T(5),
                          T(1e9),
                          Limits::max(),
                          Limits::min(),
                          Limits::denorm_min(),
                          T(1) + Limits::epsilon(),
                          T(1) - Limits::epsilon() / 2,
                          static_cast<T>(std::ldexp(1.0, Limits::digits) - 1),
                          Limits::infinity(),
                          Limits::quiet_NaN()};
    for (size_t i = 0, n = out.size(); i < n; ++i) out.push_back(-out[i]);
    return out;
  }
  void add(T a, T b) {
    x.push_back(a);
    y.push_back(b);
  }
  std::vector<T> evaluate() const {
    std::vector<T> out(x.size());
    map_arrays(MapOp::kPow, x.size(), x.data(), y.data(), out.data());
    return out;
  }
};

template <class T>
class PowTest : public testing::Test {};
using Floats = testing::Types<float, double>;
TYPED_TEST_SUITE(PowTest, Floats);

TYPED_TEST(PowTest, ErrorAndSpecialValues) {
  using T = TypeParam;
  const Arguments<T> a;
  std::vector<long double> exact(a.x.size());
  for (size_t i = 0; i < exact.size(); ++i)
    exact[i] = std::pow(static_cast<long double>(a.x[i]), static_cast<long double>(a.y[i]));
  test::for_each_target([&] {
    const auto got = a.evaluate();
    double worst = 0, worst_subnormal = 0;
    for (size_t i = 0; i < got.size(); ++i) {
      const double error = test::ulp_error(got[i], exact[i]);
      const bool subnormal = std::fabs(exact[i]) < std::numeric_limits<T>::min();
      ASSERT_LE(error, subnormal        ? 1.11
                       : sizeof(T) == 4 ? 0.51
                                        : 0.75)
          << std::hexfloat << a.x[i] << " ^ " << a.y[i] << " got " << got[i] << " expected " << exact[i];
      ASSERT_EQ(std::signbit(got[i]), std::isnan(exact[i]) ? false : std::signbit(exact[i]))
          << a.x[i] << " ^ " << a.y[i];
      (subnormal ? worst_subnormal : worst) = std::max(subnormal ? worst_subnormal : worst, error);
    }
    testing::Test::RecordProperty("worst", std::to_string(worst) + " " + std::to_string(worst_subnormal));
  });
}

TYPED_TEST(PowTest, SameBitsOnTargetsWithFma) {
  const Arguments<TypeParam> a;
  test::expect_same_bits_on_fma_targets([&] { return a.evaluate(); });
}

TYPED_TEST(PowTest, ExactPowersAreExact) {
  using T = TypeParam;
  std::vector<T> x, y, expected;
  for (int base = 1; base <= 15; ++base) {
    T power = 1;
    for (int n = 0; n <= 6; ++n, power *= static_cast<T>(base)) {
      x.push_back(static_cast<T>(base));
      y.push_back(static_cast<T>(n));
      expected.push_back(power);
      if (n > 3) continue;  // its square would not be exact in float32
      x.push_back(power * power);
      y.push_back(T(0.5));
      expected.push_back(power);
    }
  }
  test::for_each_target([&] {
    std::vector<T> out(x.size());
    map_arrays(MapOp::kPow, x.size(), x.data(), y.data(), out.data());
    for (size_t i = 0; i < out.size(); ++i) EXPECT_EQ(out[i], expected[i]) << x[i] << " ^ " << y[i];
  });
}

}  // namespace
}  // namespace maas
