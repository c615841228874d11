#include "maas/kernels/sgd.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "maas/kernels/sgd.cc"
#include <algorithm>
#include <cmath>

#include "hwy/foreach_target.h"
#include "hwy/highway.h"
#include "maas/kernels/sgd_loss-inl.h"
#include "maas/kernels/sgd_rows-inl.h"
#include "maas/kernels/sgd_step-inl.h"

HWY_BEFORE_NAMESPACE();
namespace maas {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;
namespace {

using namespace sgd;

// --- one block of gathered rows -------------------------------------------------------------------------

struct Block {
  const double* rows;  // count rows of `padded` values
  size_t padded;
  size_t count;
  const double* cross;
  const double* square;
  const double* y;
  const double* weight;
  const double* eta;
  double* margins;  // out
};

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

// weights += change * previous; returns weights . next. The weights then still lack the step of the row
// between the two: the caller corrects for it by the rows' product, so the next margin need not wait for a
// pass over the columns.
HWY_INLINE double advance(double* HWY_RESTRICT weights, double change, const double* previous,
                          const double* next, size_t padded) {
  const Wide d;
  const auto f = hn::Set(d, change);
  Partials margin;
  for_each_vector(padded, [&](size_t at, size_t c) HWY_ATTR {
    const auto w = hn::MulAdd(f, hn::Load(d, previous + at), hn::Load(d, weights + at));
    hn::Store(w, d, weights + at);
    margin.chain[c] = hn::MulAdd(w, hn::Load(d, next + at), margin.chain[c]);
  });
  return margin.sum();
}

// Steps without an L1 penalty, software-pipelined: while the scalar chain margin -> loss -> step of row i
// runs, the vector units apply step i-1 and multiply out row i+1.
template <class Loss>
void learn_block(const Loss& loss, const SgdRules& rules, const Block& block, SgdState& s, SgdSums& sums) {
  const size_t padded = block.padded;
  double* weights = s.weights.data();
  double ahead = dot(weights, block.rows, padded);  // weights . row i, without the step of row i-1
  s.square_norm = dot(weights, weights, padded);    // afresh in each block, so it cannot drift
  double change = 0;                                // the step not yet in the weights
  for (size_t i = 0; i < block.count; ++i) {
    const double* x = block.rows + i * padded;
    const double* previous = i > 0 ? x - padded : x;
    const double* next = i + 1 < block.count ? x + padded : x;
    const double product = i > 0 ? mul_add(change, block.cross[i], ahead) : ahead;
    const double margin = mul_add(s.scale, product, s.intercept);
    const double eta = block.eta[i];
    block.margins[i] = margin;
    if (rules.objective) sums.penalty += penalty(rules, s);
    double update = step_length(loss, rules, margin, block.y[i], eta, block.square[i], sums.clipped);
    if (block.weight != nullptr) update *= block.weight[i];

    ahead = advance(weights, change, previous, next, padded);
    s.scale *= std::max(0.0, 1.0 - rules.alpha * eta * (1 - rules.l1_ratio));
    double own = product;  // weights . x, in the units of s.weights
    if (HWY_UNLIKELY(s.scale < kSmallestScale)) {
      own *= s.scale;
      ahead *= s.scale;
      reset_scale(s, padded);
    }
    change = update * (1.0 / s.scale);
    s.square_norm += change * (2 * own + change * block.square[i]);
    if (rules.intercept) s.intercept += update;
    average_step(rules, s, change, x, padded);
    s.step += 1;
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
  for_each_vector(padded, [&](size_t at, size_t c) HWY_ATTR {
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
  });
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
    const double margin = mul_add(s.scale, dot(s.weights.data(), x, padded), s.intercept);
    const double eta = block.eta[i];
    block.margins[i] = margin;
    if (rules.objective) sums.penalty += penalty(rules, s);
    double update = step_length(loss, rules, margin, block.y[i], eta, block.square[i], sums.clipped);
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

// --- all rows ---------------------------------------------------------------------------------------------

template <class Loss>
SgdSums run(const SgdRows& rows, const Loss& loss, const SgdRules& rules, SgdState& s) {
  constexpr size_t kMost = 64;  // sgd_block_rows gives no more
  HWY_ALIGN double margins[kMost + kPartials] = {};
  HWY_ALIGN double targets[kMost + kPartials] = {};
  const size_t padded = sgd_padded(s.cols);
  const size_t most = sgd_block_rows(s.cols);
  SgdSums sums;
  for (size_t begin = 0; begin < rows.count; begin += most) {
    const size_t count = std::min(most, rows.count - begin);
    std::copy_n(rows.y + begin, count, targets);
    const Block block = {rows.rows + begin * padded,
                         padded,
                         count,
                         rows.cross + begin,
                         rows.square + begin,
                         targets,
                         rows.weight ? rows.weight + begin : nullptr,
                         rows.eta + begin,
                         margins};
    if (s.truncated.size() > 0) {
      learn_block_truncated(loss, rules, block, s, sums);
    } else {
      learn_block(loss, rules, block, s, sums);
    }
    if (rules.objective) sums.loss += sum_losses(loss, margins, targets, count);
  }
  return sums;
}

}  // namespace

SgdSums steps(const SgdRows& rows, const SgdRules& rules, SgdState& s) {
  return with_loss(rules, [&](const auto& loss) { return run(rows, loss, rules, s); });
}

void margins_of(const double* rows, size_t count, const SgdState& s, double* margins) {
  const size_t padded = sgd_padded(s.cols);
  for (size_t i = 0; i < count; ++i) {
    margins[i] = mul_add(s.scale, dot(s.weights.data(), rows + i * padded, padded), s.intercept);
  }
}

}  // namespace HWY_NAMESPACE
}  // namespace maas
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace maas {

HWY_EXPORT(steps);
HWY_EXPORT(margins_of);

SgdSums sgd_steps(const SgdRows& rows, const SgdRules& rules, SgdState& state) {
  return HWY_DYNAMIC_DISPATCH(steps)(rows, rules, state);
}

void sgd_margins(const double* rows, size_t count, const SgdState& state, double* margins) {
  HWY_DYNAMIC_DISPATCH(margins_of)(rows, count, state, margins);
}

}  // namespace maas
#endif  // HWY_ONCE
