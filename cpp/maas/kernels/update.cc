#include "maas/kernels/update.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "maas/kernels/update.cc"
#include "hwy/foreach_target.h"
#include "maas/kernels/map-inl.h"

HWY_BEFORE_NAMESPACE();
namespace maas {
namespace HWY_NAMESPACE {

// The constants in every lane.
template <class V>
struct StepVectors {
  template <class D>
  StepVectors(D d, const UpdateStep<hn::TFromD<D>>& step)
      : rate(hn::Set(d, step.rate)),
        momentum(hn::Set(d, step.momentum)),
        take_first(hn::Set(d, step.take_first)),
        keep_second(hn::Set(d, step.keep_second)),
        take_second(hn::Set(d, step.take_second)),
        epsilon(hn::Set(d, step.epsilon)) {}
  V rate, momentum, take_first, keep_second, take_second, epsilon;
};

template <class D, class V = hn::Vec<D>>
HWY_INLINE V FlushSubnormal(D d, V v) {
  return hn::IfThenZeroElse(hn::Lt(hn::Abs(v), hn::Set(d, std::numeric_limits<hn::TFromD<D>>::min())), v);
}

// A rule is a function (d, constants, weight, gradient, state vectors) -> new weight.
template <bool kAhead>
struct Momentum {
  static constexpr size_t kSlots = 1;
  template <class D, class V>
  static HWY_INLINE V Apply(D d, const StepVectors<V>& c, V w, V g, V* state) {
    const V step = hn::Mul(c.rate, g);
    const V moved = state[0] = FlushSubnormal(d, hn::MulSub(c.momentum, state[0], step));
    return hn::Add(w, kAhead ? hn::MulSub(c.momentum, moved, step) : moved);
  }
};

struct Sgd {
  static constexpr size_t kSlots = 0;
  template <class D, class V>
  static HWY_INLINE V Apply(D, const StepVectors<V>& c, V w, V g, V*) {
    return hn::NegMulAdd(c.rate, g, w);
  }
};

template <bool kAmsgrad>
struct Adam {
  static constexpr size_t kSlots = kAmsgrad ? 3 : 2;
  template <class D, class V>
  static HWY_INLINE V Apply(D d, const StepVectors<V>& c, V w, V g, V* state) {
    state[0] = FlushSubnormal(d, hn::MulAdd(hn::Sub(g, state[0]), c.take_first, state[0]));
    // g² - v is not below -v, so that the new v is not below 0.
    state[1] = hn::MulAdd(hn::MulSub(g, g, state[1]), c.take_second, state[1]);
    V second = state[1];
    if constexpr (kAmsgrad) second = state[2] = hn::Max(state[2], second);
    return hn::NegMulAdd(c.rate, hn::Div(state[0], hn::Add(hn::Sqrt(second), c.epsilon)), w);
  }
};

template <bool kMomentum, bool kCentered>
struct Rmsprop {
  static constexpr size_t kSlots = 1 + kMomentum + kCentered;
  template <class D, class V>
  static HWY_INLINE V Apply(D d, const StepVectors<V>& c, V w, V g, V* state) {
    const V squares = hn::Mul(c.take_second, hn::Mul(g, g));
    V second = state[0] = FlushSubnormal(d, hn::MulAdd(c.keep_second, state[0], squares));
    if constexpr (kCentered) {
      V& mean = state[kSlots - 1];
      mean = FlushSubnormal(d, hn::MulAdd(c.keep_second, mean, hn::Mul(c.take_second, g)));
      // A variance: rounding alone could make it negative.
      second = hn::Max(hn::NegMulAdd(mean, mean, second), hn::Zero(d));
    }
    const V direction = hn::Div(g, hn::Sqrt(hn::Add(second, c.epsilon)));
    if constexpr (!kMomentum) return hn::NegMulAdd(c.rate, direction, w);
    state[1] = FlushSubnormal(d, hn::MulAdd(c.momentum, state[1], hn::Mul(c.rate, direction)));
    return hn::Sub(w, state[1]);
  }
};

struct Adagrad {
  static constexpr size_t kSlots = 1;
  template <class D, class V>
  static HWY_INLINE V Apply(D, const StepVectors<V>& c, V w, V g, V* state) {
    state[0] = hn::MulAdd(g, g, state[0]);
    return hn::NegMulAdd(c.rate, hn::Div(g, hn::Sqrt(hn::Add(state[0], c.epsilon))), w);
  }
};

// One stretch of n weights.
template <class Rule, class D, class Step, class T = hn::TFromD<D>>
HWY_INLINE void UpdateRow(D d, size_t n, Step step, T* values, const T* gradients, T* slots, size_t stride) {
  hn::Vec<D> state[Rule::kSlots + 1];
  const size_t lanes = hn::Lanes(d);
  size_t i = 0;
  for (; i + lanes <= n; i += lanes) {
    for (size_t k = 0; k < Rule::kSlots; ++k) state[k] = hn::LoadU(d, slots + k * stride + i);
    hn::StoreU(step(hn::LoadU(d, values + i), hn::LoadU(d, gradients + i), state), d, values + i);
    for (size_t k = 0; k < Rule::kSlots; ++k) hn::StoreU(state[k], d, slots + k * stride + i);
  }
  if (i == n) return;
  const size_t rest = n - i;
  for (size_t k = 0; k < Rule::kSlots; ++k) state[k] = LoadTail(d, slots + k * stride + i, rest);
  StoreTail(d, step(LoadTail(d, values + i, rest), LoadTail(d, gradients + i, rest), state), values + i,
            rest);
  for (size_t k = 0; k < Rule::kSlots; ++k) StoreTail(d, state[k], slots + k * stride + i, rest);
}

template <class Rule, bool kPlain, class T>
void Update(const UpdateStep<T>& step, const UpdateRows& rows, T* values, const T* gradients, T* slots,
            size_t slot_stride) {
  const hn::ScalableTag<T> d;
  using V = hn::Vec<decltype(d)>;
  const StepVectors<V> constants(d, step);
  const V scale = hn::Set(d, step.scale), limit = hn::Set(d, step.limit), decay = hn::Set(d, step.decay);
  const auto update = [&](V w, V g, V* state) HWY_ATTR {
    if constexpr (!kPlain) {
      // The gradient comes second: of two operands x86 takes that one when either is NaN.
      g = hn::Min(limit, hn::Max(hn::Neg(limit), hn::Mul(g, scale)));
      w = hn::NegMulAdd(w, decay, w);
    }
    return Rule::Apply(d, constants, w, g, state);
  };
  for (size_t row = 0, at = 0; row < rows.rows; ++row, at += rows.stride) {
    UpdateRow<Rule>(d, rows.n, update, values + at, gradients + at, slots + at, slot_stride);
  }
}

template <class T, bool kPlain>
UpdateFn<T> FindUpdate(UpdateRule rule) {
  switch (rule) {
    case UpdateRule::kSgd: return Update<Sgd, kPlain, T>;
    case UpdateRule::kMomentum: return Update<Momentum<false>, kPlain, T>;
    case UpdateRule::kNesterov: return Update<Momentum<true>, kPlain, T>;
    case UpdateRule::kAdam: return Update<Adam<false>, kPlain, T>;
    case UpdateRule::kAmsgrad: return Update<Adam<true>, kPlain, T>;
    case UpdateRule::kRmsprop: return Update<Rmsprop<false, false>, kPlain, T>;
    case UpdateRule::kRmspropMomentum: return Update<Rmsprop<true, false>, kPlain, T>;
    case UpdateRule::kRmspropCentered: return Update<Rmsprop<false, true>, kPlain, T>;
    case UpdateRule::kRmspropCenteredMomentum: return Update<Rmsprop<true, true>, kPlain, T>;
    case UpdateRule::kAdagrad: return Update<Adagrad, kPlain, T>;
  }
  return nullptr;
}

template <class T>
UpdateFn<T> FindEither(UpdateRule rule, bool plain) {
  return plain ? FindUpdate<T, true>(rule) : FindUpdate<T, false>(rule);
}

template <class T>
void AddPenaltyGradient(size_t n, const T* values, T l1, T l2, T* gradients) {
  const hn::ScalableTag<T> d;
  using V = hn::Vec<decltype(d)>;
  const V each = hn::Set(d, l1), twice_l2 = hn::Set(d, 2 * l2);
  const auto add = [&](V w, V g) HWY_ATTR {
    const V sign = hn::IfThenZeroElse(hn::Eq(w, hn::Zero(d)), hn::CopySign(each, w));
    return hn::Add(g, hn::MulAdd(twice_l2, w, sign));
  };
  MapArrays(d, n, add, gradients, values, static_cast<const T*>(gradients));
}

UpdateFn<float> FindF32(UpdateRule rule, bool plain) { return FindEither<float>(rule, plain); }
UpdateFn<double> FindF64(UpdateRule rule, bool plain) { return FindEither<double>(rule, plain); }
void PenaltyF32(size_t n, const float* values, float l1, float l2, float* gradients) {
  AddPenaltyGradient(n, values, l1, l2, gradients);
}
void PenaltyF64(size_t n, const double* values, double l1, double l2, double* gradients) {
  AddPenaltyGradient(n, values, l1, l2, gradients);
}

}  // namespace HWY_NAMESPACE
}  // namespace maas
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace maas {

HWY_EXPORT(FindF32);
HWY_EXPORT(FindF64);
HWY_EXPORT(PenaltyF32);
HWY_EXPORT(PenaltyF64);

template <>
UpdateFn<float> find_update(UpdateRule rule, bool plain) {
  return HWY_DYNAMIC_DISPATCH(FindF32)(rule, plain);
}
template <>
UpdateFn<double> find_update(UpdateRule rule, bool plain) {
  return HWY_DYNAMIC_DISPATCH(FindF64)(rule, plain);
}

void add_penalty_gradient(size_t n, const float* values, float l1, float l2, float* gradients) {
  HWY_DYNAMIC_DISPATCH(PenaltyF32)(n, values, l1, l2, gradients);
}
void add_penalty_gradient(size_t n, const double* values, double l1, double l2, double* gradients) {
  HWY_DYNAMIC_DISPATCH(PenaltyF64)(n, values, l1, l2, gradients);
}

}  // namespace maas
#endif  // HWY_ONCE
