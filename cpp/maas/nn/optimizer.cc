#include "maas/nn/optimizer.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

#include "maas/base/error.h"
#include "maas/base/shards.h"
#include "maas/base/thread_pool.h"
#include "maas/kernels/reduce.h"

namespace maas {
namespace {

// About 20 µs of Adam in float32. Multiples of 64 bytes of either type.
constexpr size_t kShardValues = size_t{1} << 16;

UpdateRule update_rule(const OptimizerOptions& o) {
  switch (o.rule) {
    case OptimizerRule::kSgd:
      if (o.momentum == 0) return UpdateRule::kSgd;
      return o.nesterov ? UpdateRule::kNesterov : UpdateRule::kMomentum;
    case OptimizerRule::kAdam: return o.amsgrad ? UpdateRule::kAmsgrad : UpdateRule::kAdam;
    case OptimizerRule::kRmsprop:
      if (o.momentum == 0) return o.centered ? UpdateRule::kRmspropCentered : UpdateRule::kRmsprop;
      return o.centered ? UpdateRule::kRmspropCenteredMomentum : UpdateRule::kRmspropMomentum;
    case OptimizerRule::kAdagrad: return UpdateRule::kAdagrad;
  }
  return UpdateRule::kSgd;
}

void require(bool holds, const char* expected) {
  if (!holds) throw_invalid("Optimizer", expected);
}
bool is_share(double x) { return x >= 0 && x < 1; }
bool is_size(double x) { return x >= 0 && x <= std::numeric_limits<double>::max(); }

void check(const OptimizerOptions& o) {
  require(o.momentum >= 0 && o.momentum <= 1, "expected 0 <= momentum <= 1");
  require(is_share(o.beta_1) && is_share(o.beta_2), "expected 0 <= beta_1 < 1 and 0 <= beta_2 < 1");
  require(o.rho >= 0 && o.rho <= 1, "expected 0 <= rho <= 1");
  require(o.epsilon > 0 && is_size(o.epsilon), "expected epsilon > 0");
  require(is_size(o.initial_accumulator), "expected initial_accumulator_value >= 0");
  require(is_size(o.weight_decay), "expected weight_decay >= 0");
  require(is_size(o.clip_value) && is_size(o.clip_norm) && is_size(o.global_clip_norm),
          "expected clipvalue, clipnorm and global_clipnorm >= 0");
  require((o.clip_value > 0) + (o.clip_norm > 0) + (o.global_clip_norm > 0) <= 1,
          "expected at most one of clipvalue, clipnorm and global_clipnorm");
}

// By repeated squaring: the same bits everywhere, where libm's pow differs.
double power(double base, uint64_t exponent) {
  double result = 1;
  for (; exponent != 0; exponent >>= 1, base *= base) result *= (exponent & 1) != 0 ? base : 1;
  return result;
}

// Rounded to T, but never down to zero.
template <class T>
T positive(double x) {
  return std::max(static_cast<T>(x), std::numeric_limits<T>::min());
}

}  // namespace

std::vector<std::string> optimizer_slots(const OptimizerOptions& options) {
  switch (update_rule(options)) {
    case UpdateRule::kSgd: return {};
    case UpdateRule::kMomentum:
    case UpdateRule::kNesterov: return {"momentum"};
    case UpdateRule::kAdam: return {"momentum", "velocity"};
    case UpdateRule::kAmsgrad: return {"momentum", "velocity", "velocity_hat"};
    case UpdateRule::kRmsprop: return {"velocity"};
    case UpdateRule::kRmspropMomentum: return {"velocity", "momentum"};
    case UpdateRule::kRmspropCentered: return {"velocity", "average_gradient"};
    case UpdateRule::kRmspropCenteredMomentum: return {"velocity", "momentum", "average_gradient"};
    case UpdateRule::kAdagrad: return {"accumulator"};
  }
  return {};
}

template <class T>
Optimizer<T>::Optimizer(const OptimizerOptions& options, std::vector<OptimizerSegment> segments, T* values,
                        T* gradients, T* slots, size_t size)
    : options_(options),
      segments_(std::move(segments)),
      values_(values),
      gradients_(gradients),
      slots_(slots),
      size_(size) {
  check(options);
  for (size_t i = 0; i < segments_.size(); ++i) {
    const OptimizerSegment& s = segments_[i];
    const size_t end = s.offset + s.size;
    const size_t padded = s.padding.stride == 0 ? end : s.offset + s.padding.begin;
    const bool decays = s.decays && options.weight_decay > 0;
    add_run({.begin = s.offset, .end = padded, .segment = i, .decays = decays});
    add_run({padded, end, s.padding.used, s.padding.stride, i, decays});
  }
}

template <class T>
void Optimizer<T>::add_run(const Run& run) {
  if (run.begin == run.end) return;
  if (!runs_.empty() && options_.clip_norm == 0) {
    Run& last = runs_.back();
    if (last.end == run.begin && last.decays == run.decays && last.stride == 0 && run.stride == 0) {
      last.end = run.end;
      return;
    }
  }
  runs_.push_back(run);
}

template <class T>
void Optimizer<T>::reset() {
  const T start =
      options_.rule == OptimizerRule::kAdagrad ? static_cast<T>(options_.initial_accumulator) : T(0);
  std::fill_n(slots_, optimizer_slots(options_).size() * size_, start);
  iterations_ = 0;
}

template <class T>
double Optimizer<T>::penalties() const {
  double total = 0;
  for (const OptimizerSegment& s : segments_) {
    const T* values = values_ + s.offset;
    if (s.l1 != 0) total += s.l1 * reduce_parallel(Reduction::kSumAbsolute, s.size, values);
    if (s.l2 != 0) total += s.l2 * reduce_parallel(Reduction::kSumSquares, s.size, values);
  }
  return total;
}

template <class T>
double Optimizer<T>::add_penalties(double scale) {
  for (const OptimizerSegment& s : segments_) {
    if (s.l1 == 0 && s.l2 == 0) continue;
    const T* values = values_ + s.offset;
    const T l1 = static_cast<T>(scale * s.l1), l2 = static_cast<T>(scale * s.l2);
    const Shards shards = make_shards(s.size, kShardValues);
    parallel_for(shards.count(), [&](size_t shard, int) {
      const size_t begin = shards.begin(shard);
      add_penalty_gradient(shards.end(shard) - begin, values + begin, l1, l2, gradients_ + s.offset + begin);
    });
  }
  return scale * penalties();
}

// clip / max(norm, clip), of each segment or of all.
template <class T>
void Optimizer<T>::set_scales() {
  const auto squares = [this](const OptimizerSegment& s) {
    return reduce_parallel(Reduction::kSumSquares, s.size, gradients_ + s.offset);
  };
  const auto by_norm = [](double sum, double clip) { return clip / std::max(std::sqrt(sum), clip); };
  if (options_.clip_norm > 0) {
    for (Run& run : runs_) run.scale = by_norm(squares(segments_[run.segment]), options_.clip_norm);
  }
  if (options_.global_clip_norm > 0) {
    double sum = 0;
    for (const OptimizerSegment& s : segments_) sum += squares(s);
    for (Run& run : runs_) run.scale = by_norm(sum, options_.global_clip_norm);
  }
}

template <class T>
UpdateStep<T> Optimizer<T>::constants(double learning_rate) const {
  UpdateStep<T> step;
  double rate = learning_rate;
  if (options_.rule == OptimizerRule::kAdam) {
    const uint64_t t = iterations_ + 1;
    rate *= std::sqrt(1 - power(options_.beta_2, t)) / (1 - power(options_.beta_1, t));
    step.take_second = static_cast<T>(1 - options_.beta_2);
  } else {
    step.take_second = static_cast<T>(1 - options_.rho);
  }
  step.rate = static_cast<T>(rate);
  step.momentum = static_cast<T>(options_.momentum);
  step.take_first = static_cast<T>(1 - options_.beta_1);
  step.keep_second = static_cast<T>(options_.rho);
  step.epsilon = positive<T>(options_.epsilon);
  if (options_.clip_value > 0) step.limit = static_cast<T>(options_.clip_value);
  return step;
}

// What of the run begins in [begin, end): whole stretches where it has some.
template <class T>
void Optimizer<T>::update(const Run& run, size_t begin, size_t end, const UpdateStep<T>& common, T decay) {
  UpdateRows rows;
  size_t at = std::max(run.begin, begin), stop = std::min(run.end, end);
  if (at >= stop) return;
  rows.n = stop - at;
  if (run.stride > 0) {
    const auto row_from = [&](size_t place) { return (place - run.begin + run.stride - 1) / run.stride; };
    rows = {row_from(stop) - row_from(at), run.used, run.stride};
    at = run.begin + row_from(at) * run.stride;
  }
  UpdateStep<T> step = common;
  step.scale = static_cast<T>(run.scale);
  step.decay = run.decays ? decay : T(0);
  const UpdateFn<T> fn = find_update<T>(update_rule(options_), step.plain());
  fn(step, rows, values_ + at, gradients_ + at, slots_ + at, size_);
}

template <class T>
void Optimizer<T>::step(double learning_rate) {
  set_scales();
  const UpdateStep<T> common = constants(learning_rate);
  const T decay = static_cast<T>(learning_rate * options_.weight_decay);
  const Shards shards = make_shards(size_, kShardValues, kShardValues);
  parallel_for(shards.count(), [&](size_t shard, int) {
    for (const Run& run : runs_) update(run, shards.begin(shard), shards.end(shard), common, decay);
  });
  ++iterations_;
}

template class Optimizer<float>;
template class Optimizer<double>;

}  // namespace maas
