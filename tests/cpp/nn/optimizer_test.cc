// Optimizers over several steps against Keras 3's formulas in float64, with clipping, decay and penalties.
#include "maas/nn/optimizer.h"

#include <gtest/gtest.h>

#include <cmath>

#include "../targets.h"
#include "maas/base/aligned.h"
#include "maas/base/error.h"
#include "maas/base/thread_pool.h"

namespace maas {
namespace {
using test::bits;

constexpr OptimizerRule kRules[] = {OptimizerRule::kSgd, OptimizerRule::kAdam, OptimizerRule::kRmsprop,
                                    OptimizerRule::kAdagrad};
constexpr double kRate = 0.03;

double made(size_t i, uint64_t salt) {
  return static_cast<double>((i * 13 + salt * 7919) * 2654435761u % 20011) / 10005.5 - 1;
}

// Weights, gradients and slots as a network holds them, with what the reference needs.
template <class T>
struct Model {
  Model(const OptimizerOptions& options, std::vector<OptimizerSegment> parts, size_t total)
      : segments(std::move(parts)),
        size(total),
        slots(optimizer_slots(options).size()),
        arena(size * (2 + slots), T(0)),
        optimizer(options, segments, arena.data(), arena.data() + size, arena.data() + 2 * size, size) {
    optimizer.reset();
    for (const OptimizerSegment& s : segments) {
      for (size_t i = s.offset; i < s.offset + s.size; ++i) arena[i] = static_cast<T>(made(i, 99));
    }
  }
  void set_gradients(uint64_t t) {
    for (const OptimizerSegment& s : segments) {
      for (size_t i = s.offset; i < s.offset + s.size; ++i) {
        arena[size + i] = i % 7 == 3 ? T(0) : static_cast<T>(made(i, t));
      }
    }
  }
  std::vector<OptimizerSegment> segments;
  size_t size, slots;
  AlignedBuffer<T> arena;
  Optimizer<T> optimizer;
};

// One weight as keras/src/optimizers updates it.
struct Scalar {
  double w = 0, m = 0, v = 0, high = 0, mean = 0;

  void step(const OptimizerOptions& o, double g, double t, double lr) {
    switch (o.rule) {
      case OptimizerRule::kSgd:
        if (o.momentum == 0) {
          w -= g * lr;
        } else {
          m = m * o.momentum - g * lr;
          w += o.nesterov ? m * o.momentum - g * lr : m;
        }
        return;
      case OptimizerRule::kAdam: {
        const double alpha = lr * std::sqrt(1 - std::pow(o.beta_2, t)) / (1 - std::pow(o.beta_1, t));
        m += (g - m) * (1 - o.beta_1);
        v += (g * g - v) * (1 - o.beta_2);
        high = std::max(high, v);
        w -= m * alpha / (std::sqrt(o.amsgrad ? high : v) + o.epsilon);
        return;
      }
      case OptimizerRule::kRmsprop: {
        v = o.rho * v + (1 - o.rho) * g * g;
        mean = o.rho * mean + (1 - o.rho) * g;
        const double denominator = v - (o.centered ? mean * mean : 0) + o.epsilon;
        const double increment = lr * g / std::sqrt(denominator);
        m = o.momentum * m + increment;
        w -= o.momentum > 0 ? m : increment;
        return;
      }
      case OptimizerRule::kAdagrad:
        v += g * g;
        w -= lr * g / std::sqrt(v + o.epsilon);
        return;
    }
  }
};

std::vector<double> clipped(const OptimizerOptions& o, const std::vector<OptimizerSegment>& segments,
                            std::vector<double> g) {
  double all = 0;
  for (const double x : g) all += x * x;
  for (const OptimizerSegment& s : segments) {
    double sum = 0;
    for (size_t i = s.offset; i < s.offset + s.size; ++i) sum += g[i] * g[i];
    for (size_t i = s.offset; i < s.offset + s.size; ++i) {
      if (o.clip_value > 0) g[i] = std::min(std::max(g[i], -o.clip_value), o.clip_value);
      if (o.clip_norm > 0) g[i] *= o.clip_norm / std::max(std::sqrt(sum), o.clip_norm);
      if (o.global_clip_norm > 0) g[i] *= o.global_clip_norm / std::max(std::sqrt(all), o.global_clip_norm);
    }
  }
  return g;
}

template <class T>
void expect_reference(const OptimizerOptions& options) {
  // Two that join, a hole, one that does not decay.
  Model<T> model(options, {{0, 48}, {48, 16, 0, 0, true}, {80, 32, 0, 0, false}}, 112);
  std::vector<Scalar> exact(model.size);
  for (size_t i = 0; i < model.size; ++i) {
    exact[i].w = model.arena[i];
    if (options.rule == OptimizerRule::kAdagrad) exact[i].v = options.initial_accumulator;
  }
  for (uint64_t t = 1; t <= 12; ++t) {
    model.set_gradients(t);
    const T* gradients = model.arena.data() + model.size;
    const auto g = clipped(options, model.segments, std::vector<double>(gradients, gradients + model.size));
    const double rate = kRate / static_cast<double>(t);
    for (const OptimizerSegment& s : model.segments) {
      for (size_t i = s.offset; i < s.offset + s.size; ++i) {
        if (s.decays) exact[i].w -= exact[i].w * options.weight_decay * rate;
        exact[i].step(options, g[i], static_cast<double>(t), rate);
      }
    }
    model.optimizer.step(rate);
    ASSERT_EQ(model.optimizer.iterations(), t);
  }
  const double bound = 40 * std::numeric_limits<T>::epsilon();
  for (size_t i = 0; i < model.size; ++i) ASSERT_NEAR(model.arena[i], exact[i].w, bound) << i;
  for (size_t i = 64; i < 80; ++i) ASSERT_EQ(model.arena[i], T(0));
}

std::vector<OptimizerOptions> all_options() {
  std::vector<OptimizerOptions> all;
  for (const OptimizerRule rule : kRules) all.push_back({.rule = rule});
  for (const bool nesterov : {false, true}) {
    all.push_back({.rule = OptimizerRule::kSgd, .momentum = 0.9, .nesterov = nesterov});
  }
  all.push_back({.beta_1 = 0.8, .beta_2 = 0.9, .amsgrad = true});
  for (const double momentum : {0.0, 0.7}) {
    for (const bool centered : {false, true}) {
      all.push_back(
          {.rule = OptimizerRule::kRmsprop, .momentum = momentum, .centered = centered, .epsilon = 1e-3});
    }
  }
  return all;
}

template <class T>
class OptimizerTest : public testing::Test {};
using Types = testing::Types<float, double>;
TYPED_TEST_SUITE(OptimizerTest, Types);

TYPED_TEST(OptimizerTest, FollowsKerasOverSteps) {
  test::for_each_target([] {
    for (const OptimizerOptions& options : all_options()) expect_reference<TypeParam>(options);
  });
}

TYPED_TEST(OptimizerTest, ClipsAndDecays) {
  for (const OptimizerRule rule : kRules) {
    expect_reference<TypeParam>({.rule = rule, .weight_decay = 0.4});
    expect_reference<TypeParam>({.rule = rule, .weight_decay = 0.4, .clip_value = 0.3});
    expect_reference<TypeParam>({.rule = rule, .clip_norm = 1.5});
    expect_reference<TypeParam>({.rule = rule, .weight_decay = 0.1, .global_clip_norm = 2});
    expect_reference<TypeParam>({.rule = rule, .global_clip_norm = 1e6});
  }
}

TYPED_TEST(OptimizerTest, NamesSlotsAndResets) {
  using T = TypeParam;
  using Names = std::vector<std::string>;
  EXPECT_EQ(optimizer_slots({.rule = OptimizerRule::kSgd}), Names());
  EXPECT_EQ(optimizer_slots({.rule = OptimizerRule::kSgd, .momentum = 0.5}), Names{"momentum"});
  EXPECT_EQ(optimizer_slots({.amsgrad = true}), (Names{"momentum", "velocity", "velocity_hat"}));
  EXPECT_EQ(optimizer_slots({.rule = OptimizerRule::kRmsprop, .momentum = 0.1, .centered = true}),
            (Names{"velocity", "momentum", "average_gradient"}));
  Model<T> model({.rule = OptimizerRule::kAdagrad}, {{0, 16}}, 16);
  for (size_t i = 0; i < 16; ++i) ASSERT_EQ(model.arena[32 + i], static_cast<T>(0.1));
  model.optimizer.step(1);
  model.optimizer.reset();
  EXPECT_EQ(model.optimizer.iterations(), 0u);
}

TYPED_TEST(OptimizerTest, AddsPenalties) {
  using T = TypeParam;
  Model<T> model({}, {{0, 16, 0.5, 0}, {16, 32, 0, 0.25}, {48, 16, 0.125, 0.0625}, {64, 16}}, 80);
  model.set_gradients(1);
  model.arena[5] = 0;
  const double scale = 0.5;
  double loss = 0;
  std::vector<double> exact(80);
  for (const OptimizerSegment& s : model.segments) {
    for (size_t i = s.offset; i < s.offset + s.size; ++i) {
      const double w = model.arena[i];
      loss += scale * (s.l1 * std::abs(w) + s.l2 * w * w);
      exact[i] = model.arena[80 + i] + scale * (s.l1 * ((w > 0) - (w < 0)) + 2 * s.l2 * w);
    }
  }
  EXPECT_NEAR(model.optimizer.add_penalties(scale), loss, 1e-13);
  for (size_t i = 0; i < 80; ++i) {
    ASSERT_NEAR(model.arena[80 + i], exact[i], 4 * std::numeric_limits<T>::epsilon());
  }
}

// Enough values for several shards, cut at odd places.
TYPED_TEST(OptimizerTest, HasTheSameBitsOnAnyNumberOfThreads) {
  using T = TypeParam;
  constexpr size_t kSize = 300'000;
  const std::vector<OptimizerSegment> segments = {
      {0, 99'984, 0.01, 0.02}, {100'000, 16}, {100'016, 199'984, 0, 0.1}};
  for (const OptimizerOptions& options :
       {OptimizerOptions{.weight_decay = 0.1, .clip_norm = 2}, OptimizerOptions{.global_clip_norm = 3}}) {
    std::vector<T> reference;
    std::vector<double> penalties;
    for (const int threads : {1, 2, 4}) {
      set_num_threads(threads);
      Model<T> model(options, segments, kSize);
      for (uint64_t t = 0; t < 3; ++t) {
        model.set_gradients(t);
        penalties.push_back(model.optimizer.add_penalties(1));
        model.optimizer.step(kRate);
      }
      if (reference.empty()) reference.assign(model.arena.data(), model.arena.data() + model.arena.size());
      for (size_t i = 0; i < reference.size(); ++i) ASSERT_EQ(bits(reference[i]), bits(model.arena[i])) << i;
      for (size_t t = 0; t < 3; ++t) ASSERT_EQ(penalties[t], penalties[penalties.size() - 3 + t]);
    }
    set_num_threads(1);
  }
}

// What only pads is left out: the rest has the same bits as when all is updated, and padding is not touched.
TYPED_TEST(OptimizerTest, LeavesPaddingOut) {
  using T = TypeParam;
  constexpr size_t kPlain = 1024, kStride = 64, kUsed = 16, kPaddedEnd = 150'016, kSize = kPaddedEnd + 64;
  const auto pads = [](size_t i) { return i >= kPlain && i < kPaddedEnd && (i - kPlain) % kStride >= kUsed; };
  for (const OptimizerOptions& options : {OptimizerOptions{.weight_decay = 0.1, .clip_norm = 2},
                                          OptimizerOptions{.amsgrad = true, .global_clip_norm = 3}}) {
    for (const int threads : {1, 3}) {
      set_num_threads(threads);
      const OptimizerSegment last{kPaddedEnd, 64};
      Model<T> all(options, {{0, kPaddedEnd}, last}, kSize);
      Model<T> used(options, {{0, kPaddedEnd, 0, 0, true, {kPlain, kUsed, kStride}}, last}, kSize);
      for (uint64_t t = 0; t < 2; ++t) {
        for (Model<T>* model : {&all, &used}) {
          model->set_gradients(t);
          for (size_t i = 0; i < kSize; ++i) {
            if (pads(i)) model->arena[i] = model->arena[kSize + i] = T(0);
          }
          model->optimizer.step(kRate);
        }
      }
      for (size_t i = 0; i < all.arena.size(); ++i) ASSERT_EQ(bits(all.arena[i]), bits(used.arena[i])) << i;
    }
  }
  set_num_threads(1);
}

TYPED_TEST(OptimizerTest, CountsOnAfterManySteps) {
  Model<TypeParam> model({}, {{0, 16}}, 16);
  model.optimizer.set_iterations(uint64_t{1} << 40);  // both powers have vanished
  std::vector<TypeParam> before(model.arena.data(), model.arena.data() + 16);
  model.set_gradients(1);
  model.optimizer.step(kRate);
  for (size_t i = 0; i < 16; ++i) {
    const double g = model.arena[16 + i];
    ASSERT_NEAR(model.arena[i], before[i] - kRate * 0.1 * g / (std::sqrt(0.001 * g * g) + 1e-7), 1e-6);
  }
}

TYPED_TEST(OptimizerTest, LeavesPaddingZeroWhateverTheOptions) {
  using T = TypeParam;
  for (OptimizerOptions options : all_options()) {
    options.epsilon = 1e-300;  // below the least float
    options.initial_accumulator = 0;
    options.weight_decay = 0.1;
    options.clip_norm = 1;
    Model<T> model(options, {{0, 16}}, 16);
    for (size_t i = 0; i < 16; ++i) model.arena[i] = 0;
    for (int t = 0; t < 3; ++t) model.optimizer.step(kRate);
    for (size_t i = 0; i < model.arena.size(); ++i) ASSERT_EQ(model.arena[i], T(0));
  }
}

TEST(OptimizerOptionsTest, RefusesWhatMakesNoSense) {
  const auto refuses = [](const OptimizerOptions& options) {
    EXPECT_THROW(Optimizer<float>(options, {}, nullptr, nullptr, nullptr, 0), Error);
  };
  refuses({.momentum = 1.5});
  refuses({.beta_1 = 1});
  refuses({.beta_2 = -0.1});
  refuses({.rho = std::nan("")});
  refuses({.epsilon = 0});
  refuses({.weight_decay = -1});
  refuses({.clip_value = -1});
  refuses({.clip_value = 1, .clip_norm = 1});
}

}  // namespace
}  // namespace maas
