#include "maas/kernels/sgd.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "maas/kernels/sgd.cc"
#include <algorithm>
#include <cmath>

#include "hwy/cache_control.h"
#include "hwy/foreach_target.h"
#include "hwy/highway.h"
#include "maas/kernels/sgd_loss-inl.h"
#include "maas/kernels/sgd_rows-inl.h"

HWY_BEFORE_NAMESPACE();
namespace maas {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;
namespace {

using namespace sgd;

constexpr double kLargestSlope = 1e12;  // scikit-learn's MAX_DLOSS
constexpr double kSmallestScale = 1e-9;

// --- one block of gathered rows -------------------------------------------------------------------------

// Where the next block's rows lie: they are fetched while this block is learned, since the order is random.
struct Ahead {
  const char* base = nullptr;
  ptrdiff_t row_bytes = 0;  // from one row to the next
  size_t bytes = 0;         // of one row; 0: nothing to fetch
  const uint32_t* order = nullptr;
  size_t count = 0;

  HWY_INLINE void fetch(size_t i) const {
    if (i >= count) return;
    const char* row = base + static_cast<ptrdiff_t>(order[i]) * row_bytes;
    for (size_t b = 0; b < bytes; b += 64) __builtin_prefetch(row + b, 0, 2);
    if (bytes > 0) __builtin_prefetch(row + bytes - 1, 0, 2);
  }
};

struct Block {
  const double* rows;  // count rows of `padded` values
  size_t padded;
  size_t count;
  const double* y;
  const double* weight;
  const double* eta;
  double* margins;  // out
  Ahead ahead;
};

// The step along the row, before scale: w += update * x.
template <class Loss>
HWY_INLINE double step_length(const Loss& loss, const SgdRules& rules, double margin, double y, double eta,
                              double square, bool& clipped) {
  const One d;
  const auto p = hn::Set(d, margin);
  const auto target = hn::Set(d, y);
  if (HWY_LIKELY(rules.step == SgdStep::kGradient)) {
    const double slope = hn::GetLane(loss.slope(d, p, target));
    if (HWY_LIKELY(std::abs(slope) <= kLargestSlope)) return -eta * slope;
    clipped = true;
    return -eta * std::copysign(kLargestSlope, slope);
  }
  const double value = hn::GetLane(loss.value(d, p, target));
  double length = 0;
  if (rules.step == SgdStep::kPassiveAggressive2) {
    length = value / (square + 0.5 / rules.aggressiveness);
  } else if (square > 0) {
    length = std::min(rules.aggressiveness, value / square);
  }
  const bool classifies = rules.loss == SgdLoss::kHinge || rules.loss == SgdLoss::kPerceptron;
  return length * (classifies ? y : (y < margin ? -1.0 : 1.0));
}

// The average moves to the new weights: before the step `change` * x is added to them.
HWY_INLINE void average_step(const SgdRules& rules, SgdState& s, double change, const double* x,
                             size_t padded) {
  if (rules.average_from <= 0 || s.step < rules.average_from) return;
  const double samples = s.step - rules.average_from + 1;
  const double mu = 1.0 / samples;
  add_scaled(s.average.data(), -s.average_a * change, x, padded);
  if (samples > 1) s.average_b /= 1.0 - mu;
  s.average_a += mu * s.average_b * s.scale;
  s.average_intercept += (s.intercept - s.average_intercept) / samples;
}

// Folds a scale that has become too small into the weights.
HWY_NOINLINE void reset_scale(SgdState& s, size_t padded) {
  if (s.average.size() > 0) {
    add_scaled(s.average.data(), s.average_a, s.weights.data(), padded);
    multiply(s.average.data(), 1.0 / s.average_b, padded);
    s.average_a = 0;
    s.average_b = 1;
  }
  multiply(s.weights.data(), s.scale, padded);
  s.square_norm *= s.scale * s.scale;
  s.l1_norm *= s.scale;
  s.scale = 1;
}

HWY_INLINE double penalty(const SgdRules& rules, const SgdState& s) {
  const double squared = 0.5 * (1 - rules.l1_ratio) * (s.scale * s.scale) * s.square_norm;
  return rules.alpha * (squared + rules.l1_ratio * s.scale * s.l1_norm);
}

struct Products {
  double margin, cross, square;  // weights . next, x . next, next . next
};

// weights += change * previous, then the next row's products. The weights still lack the step of x itself:
// that step is corrected for by `cross`, so the next margin need not wait for a pass over the columns.
HWY_INLINE Products advance(double* HWY_RESTRICT weights, double change, const double* previous,
                            const double* x, const double* next, size_t padded) {
  const Wide d;
  const auto f = hn::Set(d, change);
  Partials margin, cross, square;
  for (size_t k = 0; k < padded; k += kPartials) {
    for (size_t c = 0; c < kChains; ++c) {
      const size_t at = k + c * kLanes;
      const auto w = hn::MulAdd(f, hn::Load(d, previous + at), hn::Load(d, weights + at));
      const auto n = hn::Load(d, next + at);
      hn::Store(w, d, weights + at);
      margin.chain[c] = hn::MulAdd(w, n, margin.chain[c]);
      cross.chain[c] = hn::MulAdd(hn::Load(d, x + at), n, cross.chain[c]);
      square.chain[c] = hn::MulAdd(n, n, square.chain[c]);
    }
  }
  return {margin.sum(), cross.sum(), square.sum()};
}

// Steps without an L1 penalty, software-pipelined: while the scalar chain margin -> loss -> step of row i
// runs, the vector units apply step i-1 and multiply out row i+1.
template <class Loss>
void learn_block(const Loss& loss, const SgdRules& rules, const Block& block, SgdState& s, SgdSums& sums) {
  const size_t padded = block.padded;
  double* weights = s.weights.data();
  Products at = advance(weights, 0, block.rows, block.rows, block.rows, padded);
  at.cross = 0;
  s.square_norm = dot(weights, weights, padded);  // afresh in each block, so it cannot drift
  double change = 0;                              // the step not yet in the weights
  for (size_t i = 0; i < block.count; ++i) {
    const double* x = block.rows + i * padded;
    const double* previous = i > 0 ? x - padded : x;
    const double* next = i + 1 < block.count ? x + padded : x;
    block.ahead.fetch(i);
    const double product = mul_add(change, at.cross, at.margin);
    const double margin = mul_add(s.scale, product, s.intercept);
    const double eta = block.eta[i];
    block.margins[i] = margin;
    if (rules.objective) sums.penalty += penalty(rules, s);
    double update = step_length(loss, rules, margin, block.y[i], eta, at.square, sums.clipped);
    if (block.weight != nullptr) update *= block.weight[i];

    Products after = advance(weights, change, previous, x, next, padded);
    s.scale *= std::max(0.0, 1.0 - rules.alpha * eta * (1 - rules.l1_ratio));
    double own = product;  // weights . x, in the units of s.weights
    if (HWY_UNLIKELY(s.scale < kSmallestScale)) {
      own *= s.scale;
      after.margin *= s.scale;
      reset_scale(s, padded);
    }
    change = update * (1.0 / s.scale);
    s.square_norm += change * (2 * own + change * at.square);
    if (rules.intercept) s.intercept += update;
    average_step(rules, s, change, x, padded);
    s.step += 1;
    at = after;
  }
  add_scaled(weights, change, block.rows + (block.count - 1) * padded, padded);
}

// weights += change * x, then the cumulative L1 penalty (Tsuruoka, Tsujii, Ananiadou 2009): each weight moves
// towards zero by what it should have received so far and has not, but never across zero.
HWY_INLINE void add_and_truncate(SgdState& s, double change, const double* x, size_t padded) {
  const Wide d;
  const auto zero = hn::Zero(d);
  const auto f = hn::Set(d, change);
  const auto scale = hn::Set(d, s.scale);
  const auto inverse = hn::Set(d, 1.0 / s.scale);
  const auto due = hn::Set(d, s.total_l1);
  Partials squares, magnitudes;
  for (size_t k = 0; k < padded; k += kPartials) {
    for (size_t c = 0; c < kChains; ++c) {
      const size_t at = k + c * kLanes;
      const auto w = hn::MulAdd(f, hn::Load(d, x + at), hn::Load(d, s.weights.data() + at));
      const auto received = hn::Load(d, s.truncated.data() + at);
      squares.chain[c] = hn::MulAdd(w, w, squares.chain[c]);
      magnitudes.chain[c] = hn::Add(magnitudes.chain[c], hn::Abs(w));
      const auto down = hn::Max(zero, hn::NegMulAdd(hn::Add(due, received), inverse, w));
      const auto up = hn::Min(zero, hn::MulAdd(hn::Sub(due, received), inverse, w));
      auto moved = hn::IfThenElse(hn::Gt(w, zero), down, w);
      moved = hn::IfThenElse(hn::Lt(w, zero), up, moved);
      hn::Store(moved, d, s.weights.data() + at);
      hn::Store(hn::MulAdd(scale, hn::Sub(moved, w), received), d, s.truncated.data() + at);
    }
  }
  if (change != 0) {  // as scikit-learn: the norms of the objective are those of the last real step
    s.square_norm = squares.sum();
    s.l1_norm = magnitudes.sum();
  }
}

// Steps with an L1 penalty: truncation is not linear, so each margin waits for the weights.
template <class Loss>
void learn_block_truncated(const Loss& loss, const SgdRules& rules, const Block& block, SgdState& s,
                           SgdSums& sums) {
  const size_t padded = block.padded;
  for (size_t i = 0; i < block.count; ++i) {
    const double* x = block.rows + i * padded;
    block.ahead.fetch(i);
    const double margin = mul_add(s.scale, dot(s.weights.data(), x, padded), s.intercept);
    const double eta = block.eta[i];
    block.margins[i] = margin;
    if (rules.objective) sums.penalty += penalty(rules, s);
    const double square = rules.step == SgdStep::kGradient ? 0 : dot(x, x, padded);
    double update = step_length(loss, rules, margin, block.y[i], eta, square, sums.clipped);
    if (block.weight != nullptr) update *= block.weight[i];

    s.scale *= std::max(0.0, 1.0 - rules.alpha * eta * (1 - rules.l1_ratio));
    if (HWY_UNLIKELY(s.scale < kSmallestScale)) reset_scale(s, padded);
    const double change = update * (1.0 / s.scale);
    if (rules.intercept) s.intercept += update;
    average_step(rules, s, change, x, padded);
    s.total_l1 += rules.alpha * eta * rules.l1_ratio;
    add_and_truncate(s, change, x, padded);
    s.step += 1;
  }
}

// Margins and targets are padded by the caller to a whole vector beyond `count`.
template <class Loss>
double sum_losses(const Loss& loss, const double* margins, const double* y, size_t count) {
  const Wide d;
  Partials sum;
  for (size_t k = 0; k < count; k += kPartials) {
    for (size_t c = 0; c < kChains; ++c) {
      const size_t at = k + c * kLanes;
      if (at >= count) break;
      const auto value = loss.value(d, hn::LoadU(d, margins + at), hn::LoadU(d, y + at));
      const auto kept = hn::IfThenElseZero(hn::FirstN(d, count - at), value);
      sum.chain[c] = hn::Add(sum.chain[c], kept);
    }
  }
  return sum.sum();
}

// --- all rows ---------------------------------------------------------------------------------------------

// About 16 KiB of gathered rows: half of the first-level cache.
size_t block_rows(size_t padded) { return std::clamp<size_t>(16384 / 8 / padded, 8, 64); }

template <class T>
Ahead ahead_of(const SgdRows<T>& rows, size_t begin, size_t count) {
  Ahead ahead;
  if (rows.x.col_stride != 1 || begin >= rows.count) return ahead;
  ahead.base = reinterpret_cast<const char*>(rows.x.data);
  ahead.row_bytes = rows.x.row_stride * static_cast<ptrdiff_t>(sizeof(T));
  ahead.bytes = rows.x.cols * sizeof(T);
  ahead.order = rows.order + begin;
  ahead.count = std::min(count, rows.count - begin);
  return ahead;
}

template <class T, class Loss>
SgdSums run(const SgdRows<T>& rows, const Loss& loss, const SgdRules& rules, SgdState& s,
            AlignedBuffer<double>& scratch) {
  const size_t cols = rows.x.cols;
  const size_t padded = sgd_padded(cols);
  const size_t most = block_rows(padded);
  const size_t needed = most * padded + 2 * kPartials + 2 * most;
  if (scratch.size() < needed) scratch = AlignedBuffer<double>(needed);
  double* panel = scratch.data();
  double* margins = panel + most * padded;
  double* targets = margins + most + kPartials;
  std::fill(panel, panel + needed, 0.0);

  SgdSums sums;
  auto zero = hn::Zero(Wide());
  for (size_t begin = 0; begin < rows.count; begin += most) {
    const size_t count = std::min(most, rows.count - begin);
    for (size_t i = 0; i < count; ++i) {
      gather_row(rows.x.at(rows.order[begin + i], 0), rows.x.col_stride, cols, panel + i * padded, zero);
    }
    std::copy_n(rows.y + begin, count, targets);
    const Block block = {panel,
                         padded,
                         count,
                         targets,
                         rows.weight ? rows.weight + begin : nullptr,
                         rows.eta + begin,
                         margins,
                         ahead_of(rows, begin + most, most)};
    if (s.truncated.size() > 0) {
      learn_block_truncated(loss, rules, block, s, sums);
    } else {
      learn_block(loss, rules, block, s, sums);
    }
    if (rules.objective) sums.loss += sum_losses(loss, margins, targets, count);
  }
  sums.finite = sum_lanes(Wide(), zero) == 0;
  return sums;
}

template <class T>
SgdSums steps(const SgdRows<T>& rows, const SgdRules& rules, SgdState& s, AlignedBuffer<double>& scratch) {
  const double epsilon = rules.epsilon;
  switch (rules.loss) {
    case SgdLoss::kHinge: return run(rows, HingeLoss{1}, rules, s, scratch);
    case SgdLoss::kPerceptron: return run(rows, HingeLoss{0}, rules, s, scratch);
    case SgdLoss::kSquaredHinge: return run(rows, SquaredHingeLoss{}, rules, s, scratch);
    case SgdLoss::kModifiedHuber: return run(rows, ModifiedHuberLoss{}, rules, s, scratch);
    case SgdLoss::kLogLoss: return run(rows, LogLoss{}, rules, s, scratch);
    case SgdLoss::kSquaredError: return run(rows, SquaredLoss{}, rules, s, scratch);
    case SgdLoss::kHuber: return run(rows, HuberLoss{epsilon}, rules, s, scratch);
    case SgdLoss::kEpsilonInsensitive: return run(rows, EpsilonLoss{epsilon}, rules, s, scratch);
    case SgdLoss::kSquaredEpsilonInsensitive: break;
  }
  return run(rows, SquaredEpsilonLoss{epsilon}, rules, s, scratch);
}

template <class T>
bool margins_of(const MatrixView<T>& x, const uint32_t* order, size_t count, const SgdState& s,
                AlignedBuffer<double>& scratch, double* margins) {
  const size_t padded = sgd_padded(x.cols);
  if (scratch.size() < padded) scratch = AlignedBuffer<double>(padded);
  std::fill_n(scratch.data(), padded, 0.0);
  auto zero = hn::Zero(Wide());
  for (size_t i = 0; i < count; ++i) {
    gather_row(x.at(order[i], 0), x.col_stride, x.cols, scratch.data(), zero);
    margins[i] = mul_add(s.scale, dot(s.weights.data(), scratch.data(), padded), s.intercept);
  }
  return sum_lanes(Wide(), zero) == 0;
}

}  // namespace

SgdSums steps_float(const SgdRows<float>& rows, const SgdRules& rules, SgdState& state,
                    AlignedBuffer<double>& scratch) {
  return steps(rows, rules, state, scratch);
}

SgdSums steps_double(const SgdRows<double>& rows, const SgdRules& rules, SgdState& state,
                     AlignedBuffer<double>& scratch) {
  return steps(rows, rules, state, scratch);
}

bool margins_float(const MatrixView<float>& x, const uint32_t* order, size_t count, const SgdState& state,
                   AlignedBuffer<double>& scratch, double* margins) {
  return margins_of(x, order, count, state, scratch, margins);
}

bool margins_double(const MatrixView<double>& x, const uint32_t* order, size_t count, const SgdState& state,
                    AlignedBuffer<double>& scratch, double* margins) {
  return margins_of(x, order, count, state, scratch, margins);
}

}  // namespace HWY_NAMESPACE
}  // namespace maas
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace maas {

HWY_EXPORT(steps_float);
HWY_EXPORT(steps_double);
HWY_EXPORT(margins_float);
HWY_EXPORT(margins_double);

SgdSums sgd_steps(const SgdRows<float>& rows, const SgdRules& rules, SgdState& state,
                  AlignedBuffer<double>& scratch) {
  return HWY_DYNAMIC_DISPATCH(steps_float)(rows, rules, state, scratch);
}

SgdSums sgd_steps(const SgdRows<double>& rows, const SgdRules& rules, SgdState& state,
                  AlignedBuffer<double>& scratch) {
  return HWY_DYNAMIC_DISPATCH(steps_double)(rows, rules, state, scratch);
}

bool sgd_margins(const MatrixView<float>& x, const uint32_t* order, size_t count, const SgdState& state,
                 AlignedBuffer<double>& scratch, double* margins) {
  return HWY_DYNAMIC_DISPATCH(margins_float)(x, order, count, state, scratch, margins);
}

bool sgd_margins(const MatrixView<double>& x, const uint32_t* order, size_t count, const SgdState& state,
                 AlignedBuffer<double>& scratch, double* margins) {
  return HWY_DYNAMIC_DISPATCH(margins_double)(x, order, count, state, scratch, margins);
}

}  // namespace maas
#endif  // HWY_ONCE
