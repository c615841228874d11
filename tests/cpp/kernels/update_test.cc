// One step of each rule against long double, for every tail length, on every target.
#include "maas/kernels/update.h"

#include <gtest/gtest.h>

#include "../targets.h"

namespace maas {
namespace {
using test::bits;
using test::for_each_target;
using test::GuardedBuffer;

constexpr UpdateRule kRules[] = {UpdateRule::kSgd,
                                 UpdateRule::kMomentum,
                                 UpdateRule::kNesterov,
                                 UpdateRule::kAdam,
                                 UpdateRule::kAmsgrad,
                                 UpdateRule::kRmsprop,
                                 UpdateRule::kRmspropMomentum,
                                 UpdateRule::kRmspropCentered,
                                 UpdateRule::kRmspropCenteredMomentum,
                                 UpdateRule::kAdagrad};

size_t slot_count(UpdateRule rule) {
  switch (rule) {
    case UpdateRule::kSgd: return 0;
    case UpdateRule::kAdam:
    case UpdateRule::kRmspropMomentum:
    case UpdateRule::kRmspropCentered: return 2;
    case UpdateRule::kAmsgrad:
    case UpdateRule::kRmspropCenteredMomentum: return 3;
    default: return 1;
  }
}

using Real = long double;
struct Weight {
  Real w, g, slot[3];
};

void rmsprop(const UpdateStep<Real>& s, bool has_momentum, bool centered, Weight& x) {
  x.slot[0] = s.keep_second * x.slot[0] + s.take_second * x.g * x.g;
  Real second = x.slot[0];
  if (centered) {
    Real& mean = x.slot[has_momentum ? 2 : 1];
    mean = s.keep_second * mean + s.take_second * x.g;
    second -= mean * mean;
  }
  Real step = s.rate * x.g / std::sqrt(second + s.epsilon);
  if (has_momentum) step = x.slot[1] = s.momentum * x.slot[1] + step;
  x.w -= step;
}

// Keras 3's formulas as they are written there.
void reference(UpdateRule rule, const UpdateStep<Real>& s, Weight& x) {
  x.g = std::min(std::max(x.g * s.scale, -s.limit), s.limit);
  x.w -= x.w * s.decay;
  switch (rule) {
    case UpdateRule::kSgd: x.w -= x.g * s.rate; break;
    case UpdateRule::kMomentum:
    case UpdateRule::kNesterov:
      x.slot[0] = x.slot[0] * s.momentum - x.g * s.rate;
      x.w += rule == UpdateRule::kNesterov ? x.slot[0] * s.momentum - x.g * s.rate : x.slot[0];
      break;
    case UpdateRule::kAdam:
    case UpdateRule::kAmsgrad: {
      x.slot[0] += (x.g - x.slot[0]) * s.take_first;
      x.slot[1] += (x.g * x.g - x.slot[1]) * s.take_second;
      Real second = x.slot[1];
      if (rule == UpdateRule::kAmsgrad) second = x.slot[2] = std::max(x.slot[2], second);
      x.w -= x.slot[0] * s.rate / (std::sqrt(second) + s.epsilon);
      break;
    }
    case UpdateRule::kRmsprop: rmsprop(s, false, false, x); break;
    case UpdateRule::kRmspropMomentum: rmsprop(s, true, false, x); break;
    case UpdateRule::kRmspropCentered: rmsprop(s, false, true, x); break;
    case UpdateRule::kRmspropCenteredMomentum: rmsprop(s, true, true, x); break;
    case UpdateRule::kAdagrad:
      x.slot[0] += x.g * x.g;
      x.w -= s.rate * x.g / std::sqrt(x.slot[0] + s.epsilon);
      break;
  }
}

// The vector code is given float or double; long double only carries the reference's constants.
template <class T>
UpdateStep<T> make_step(bool plain) {
  UpdateStep<T> s;
  s.rate = T(0.02), s.momentum = T(0.9), s.epsilon = T(1e-7);
  s.take_first = T(0.1), s.keep_second = T(0.95), s.take_second = T(0.05);
  if (!plain) s.scale = T(0.7), s.limit = T(0.8), s.decay = T(0.01);
  return s;
}
template <class T>
UpdateStep<Real> widen(const UpdateStep<T>& s) {
  return {s.rate,    s.momentum, s.take_first, s.keep_second, s.take_second,
          s.epsilon, s.scale,    s.limit,      s.decay};
}

// In [-1, 1); squares of it are what velocities are like.
template <class T>
T value(size_t i, size_t salt) {
  return static_cast<T>(static_cast<double>((i * 7 + salt) * 2654435761u % 20011) / 10005.5 - 1);
}

template <class T>
struct Arrays {
  Arrays(UpdateRule rule, size_t n, size_t gap)
      : stride(n + gap), w(n), g(n), slots(stride * slot_count(rule)) {
    for (size_t i = 0; i < n; ++i) {
      w[i] = value<T>(i, 1);
      g[i] = i % 5 == 4 ? T(0) : value<T>(i, 2);
      for (size_t k = 0; k < slot_count(rule); ++k) {
        const T v = value<T>(i, 3 + k);
        // Velocities are not negative, and no less than the average gradient's square.
        const bool any_sign =
            rule == UpdateRule::kMomentum || rule == UpdateRule::kNesterov ||
            (rule == UpdateRule::kRmspropMomentum && k == 1) ||
            (rule >= UpdateRule::kRmspropCentered && rule < UpdateRule::kAdagrad && k > 0) ||
            ((rule == UpdateRule::kAdam || rule == UpdateRule::kAmsgrad) && k == 0);
        slots[k * stride + i] = any_sign ? v / 2 : v * v + T(0.3);
      }
    }
  }
  size_t stride;  // from slot to slot
  GuardedBuffer<T> w, g, slots;
};

template <class T>
void expect_reference(UpdateRule rule, bool plain, size_t n) {
  Arrays<T> a(rule, n, 0);
  std::vector<Weight> exact(n);
  const UpdateStep<T> step = make_step<T>(plain);
  const size_t slots = slot_count(rule);
  for (size_t i = 0; i < n; ++i) {
    exact[i] = {a.w[i], a.g[i], {}};
    for (size_t k = 0; k < slots; ++k) exact[i].slot[k] = a.slots[k * a.stride + i];
    reference(rule, widen(step), exact[i]);
  }
  find_update<T>(rule, plain)(step, {1, n}, a.w.data(), a.g.data(), a.slots.data(), a.stride);
  const double bound = 8 * std::numeric_limits<T>::epsilon();
  for (size_t i = 0; i < n; ++i) {
    ASSERT_NEAR(a.w[i], static_cast<double>(exact[i].w), bound)
        << "rule " << int(rule) << " at " << i << " of " << n;
    for (size_t k = 0; k < slots; ++k) {
      ASSERT_NEAR(a.slots[k * a.stride + i], static_cast<double>(exact[i].slot[k]), bound);
    }
  }
}

template <class T>
class UpdateTest : public testing::Test {};
using Types = testing::Types<float, double>;
TYPED_TEST_SUITE(UpdateTest, Types);

TYPED_TEST(UpdateTest, AgreesWithLongDoubleAtEveryLength) {
  for_each_target([&] {
    for (const UpdateRule rule : kRules) {
      for (size_t n = 0; n <= test::kTailLengths<TypeParam>; ++n) {
        expect_reference<TypeParam>(rule, true, n);
        expect_reference<TypeParam>(rule, false, n);
      }
    }
  });
}

TYPED_TEST(UpdateTest, HasTheSameBitsOnTargetsWithFma) {
  using T = TypeParam;
  for (const UpdateRule rule : kRules) {
    for (const bool plain : {true, false}) {
      test::expect_same_bits_on_fma_targets([&] {
        Arrays<T> a(rule, 133, 11);
        for (int t = 0; t < 5; ++t) {
          find_update<T>(rule, plain)(make_step<T>(plain), {1, 133}, a.w.data(), a.g.data(), a.slots.data(),
                                      a.stride);
        }
        std::vector<T> all(a.w.data(), a.w.data() + 133);
        all.insert(all.end(), a.slots.data(), a.slots.data() + a.stride * slot_count(rule));
        return all;
      });
    }
  }
}

// A vector in the middle, in the tail, and split otherwise: the same bits of a weight.
TYPED_TEST(UpdateTest, DoesNotDependOnWhereAWeightLies) {
  using T = TypeParam;
  for_each_target([&] {
    for (const UpdateRule rule : kRules) {
      Arrays<T> whole(rule, 77, 0), cut(rule, 77, 0);
      const auto update = find_update<T>(rule, false);
      const UpdateStep<T> step = make_step<T>(false);
      update(step, {1, 77}, whole.w.data(), whole.g.data(), whole.slots.data(), 77);
      for (const auto& [begin, end] : {std::pair<size_t, size_t>{0, 3}, {3, 40}, {40, 77}}) {
        update(step, {1, end - begin}, cut.w.data() + begin, cut.g.data() + begin, cut.slots.data() + begin,
               77);
      }
      for (size_t i = 0; i < 77; ++i) ASSERT_EQ(bits(whole.w[i]), bits(cut.w[i]));
      for (size_t i = 0; i < 77 * slot_count(rule); ++i) ASSERT_EQ(bits(whole.slots[i]), bits(cut.slots[i]));
    }
  });
}

TYPED_TEST(UpdateTest, LeavesZerosAlone) {
  using T = TypeParam;
  for_each_target([&] {
    for (const UpdateRule rule : kRules) {
      std::vector<T> w(21), g(21), slots(3 * 21);
      UpdateStep<T> step = make_step<T>(false);
      step.epsilon = std::numeric_limits<T>::min();
      find_update<T>(rule, false)(step, {1, 21}, w.data(), g.data(), slots.data(), 21);
      for (const T x : w) ASSERT_EQ(x, T(0));
      for (const T x : slots) ASSERT_EQ(x, T(0));
    }
  });
}

TYPED_TEST(UpdateTest, DropsStateThatIsSubnormalAndKeepsNaN) {
  using T = TypeParam;
  constexpr T kTiny = std::numeric_limits<T>::min();
  for_each_target([&] {
    for (const UpdateRule rule : {UpdateRule::kMomentum, UpdateRule::kNesterov, UpdateRule::kAdam}) {
      std::vector<T> w(21, T(1)), g(21), slots(2 * 21, kTiny);
      find_update<T>(rule, true)(make_step<T>(true), {1, 21}, w.data(), g.data(), slots.data(), 21);
      for (size_t i = 0; i < 21; ++i) ASSERT_EQ(slots[i], T(0));
      for (const T x : w) ASSERT_EQ(x, T(1));
    }
    for (const UpdateRule rule : kRules) {  // clipped or not, a NaN must reach the weight
      std::vector<T> w(21, T(1)), g(21, std::numeric_limits<T>::quiet_NaN()), slots(3 * 21);
      find_update<T>(rule, false)(make_step<T>(false), {1, 21}, w.data(), g.data(), slots.data(), 21);
      for (const T x : w) ASSERT_TRUE(std::isnan(x)) << int(rule);
    }
  });
}

TYPED_TEST(UpdateTest, TakesHugeGradients) {
  using T = TypeParam;
  const T huge = std::sqrt(std::numeric_limits<T>::max()) / 4;
  for_each_target([&] {
    for (const UpdateRule rule : kRules) {
      std::vector<T> w(21), g(21, huge), slots(3 * 21);
      const UpdateStep<T> step = make_step<T>(true);
      for (int t = 0; t < 50; ++t)
        find_update<T>(rule, true)(step, {1, 21}, w.data(), g.data(), slots.data(), 21);
      for (const T x : w) ASSERT_TRUE(std::isfinite(x)) << int(rule);
    }
  });
}

TYPED_TEST(UpdateTest, AddsPenaltyGradients) {
  using T = TypeParam;
  for_each_target([&] {
    for (size_t n = 0; n <= test::kTailLengths<T>; ++n) {
      GuardedBuffer<T> w(n), g(n);
      for (size_t i = 0; i < n; ++i) w[i] = i % 3 == 2 ? T(0) : value<T>(i, 1), g[i] = value<T>(i, 2);
      std::vector<double> exact(n);
      for (size_t i = 0; i < n; ++i) exact[i] = g[i] + 0.25 * ((w[i] > 0) - (w[i] < 0)) + 2 * 0.125 * w[i];
      add_penalty_gradient(n, w.data(), T(0.25), T(0.125), g.data());
      for (size_t i = 0; i < n; ++i) ASSERT_NEAR(g[i], exact[i], 2 * std::numeric_limits<T>::epsilon());
    }
  });
}

}  // namespace
}  // namespace maas
