#include "maas/linear/column_newton.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "maas/base/interrupt.h"
#include "maas/base/shards.h"
#include "maas/base/thread_pool.h"

namespace maas {
namespace {

// A weight that is zero takes part once its gradient is this near to its l1.
constexpr double kNear = 0.95;

double soft(double v, double threshold) {
  if (v > threshold) return v - threshold;
  if (v < -threshold) return v + threshold;
  return 0;
}

}  // namespace

// Gradients and curvatures of all coordinates; those that may move are kept.
template <class T, bool kSoftmax>
void ColumnNewton<T, kSoftmax>::begin(const ColumnSet<T>& columns, const ColumnPenalties& penalties,
                                      const std::vector<double>& w) {
  const size_t m = columns.size();
  std::vector<Coordinate> all(m * rows_.outputs());
  const Shards shards = make_shards(all.size(), 128, 256);
  parallel_for(shards.count(), [&](size_t shard, int) {
    for (size_t at = shards.begin(shard); at < shards.end(shard); ++at) {
      const size_t slot = at % m, k = at / m;
      const auto x = columns[slot];
      Coordinate c{slot,
                   k,
                   csr_dot(x.values, x.rows, x.count, rows_.residual(k)),
                   0,
                   0,
                   penalties.l1[slot],
                   penalties.l2[slot],
                   w[at],
                   w[at]};
      if (c.from != 0 || std::fabs(c.gradient) >= kNear * c.l1) {
        rows_.curvatures(x.values, x.rows, x.count, k, c.curvature, c.linear);
      }
      all[at] = c;
    }
  });
  active_.clear();
  for (const Coordinate& c : all) {
    if (c.from != 0 || (c.curvature > 0 && std::fabs(c.gradient) >= kNear * c.l1)) active_.push_back(c);
  }
  moved_ = change_ = 0;
  if (!intercept_) return;
  residual_sum_ = rows_.residual_sum(0);
  curvature_sum_ = rows_.curvature_sum();
  change_ = curvature_sum_ > 0 ? -residual_sum_ / curvature_sum_ : 0;
}

// One coordinate to its minimum; returns by how much the model fell.
template <class T, bool kSoftmax>
double ColumnNewton<T, kSoftmax>::move(const ColumnSet<T>& columns, Coordinate& c) {
  const auto x = columns[c.slot];
  double curvature = c.curvature + c.l2;
  double slope = c.gradient + rows_.slope(x.values, x.rows, x.count, c.output) + c.l2 * c.to;
  if (intercept_) {
    slope += change_ * c.linear;
    // What the intercept takes over; a column that is constant leaves nothing but rounding.
    if (curvature_sum_ > 0) curvature -= c.linear * c.linear / curvature_sum_;
    curvature = std::fmax(curvature, 1e-12 * c.curvature + c.l2);
  }
  const double to = curvature > 0 ? soft(c.to - slope / curvature, c.l1 / curvature) : c.l1 > 0 ? 0 : c.to;
  const double change = to - c.to;
  if (change == 0) return 0;
  rows_.move(x.values, x.rows, x.count, c.output, change);
  if (intercept_ && curvature_sum_ > 0) {
    moved_ += change * c.linear;
    change_ = -(residual_sum_ + moved_) / curvature_sum_;
  }
  c.to = to;
  return curvature * change * change / 2;
}

// Until a sweep wins less than `accuracy` of what all have won.
template <class T, bool kSoftmax>
void ColumnNewton<T, kSoftmax>::minimise_model(const ColumnSet<T>& columns, double accuracy) {
  constexpr int kSweeps = 500;
  double total = 0;
  for (int sweep = 0; sweep < kSweeps; ++sweep) {
    double won = 0;
    for (Coordinate& c : active_) won += move(columns, c);
    total += won;
    poll_interrupt();
    if (won <= accuracy * total) return;
  }
}

// What the model, its quadratic part left out, promises: between one and two times the fall.
template <class T, bool kSoftmax>
double ColumnNewton<T, kSoftmax>::decrement() const {
  double sum = intercept_ ? -residual_sum_ * change_ : 0;
  for (const Coordinate& c : active_) {
    const double d = c.to - c.from;
    sum -= (c.gradient + c.l2 * c.from) * d + c.l1 * (std::fabs(c.to) - std::fabs(c.from));
  }
  return sum;
}

// margins += length * (X d + the change of the intercept)
template <class T, bool kSoftmax>
void ColumnNewton<T, kSoftmax>::add_direction(const ColumnSet<T>& columns, double length) {
  for (const Coordinate& c : active_) {
    const double step = length * (c.to - c.from);
    if (step == 0) continue;
    const auto x = columns[c.slot];
    csr_add(step, x.values, x.rows, x.count, rows_.margins(c.output));
  }
  if (!intercept_) return;
  double* const z = rows_.margins(0);
  for (size_t i = 0; i < rows_.rows(); ++i) z[i] += length * change_;
}

template <class T, bool kSoftmax>
double ColumnNewton<T, kSoftmax>::penalty(const ColumnPenalties& penalties,
                                          const std::vector<double>& w) const {
  const size_t m = penalties.l1.size();
  double sum = 0;
  for (size_t at = 0; at < w.size(); ++at) {
    sum += penalties.l1[at % m] * std::fabs(w[at]) + penalties.l2[at % m] / 2 * w[at] * w[at];
  }
  return sum;
}

template <class T, bool kSoftmax>
SolveResult ColumnNewton<T, kSoftmax>::minimise(const ColumnSet<T>& columns, const ColumnPenalties& penalties,
                                                const StopRule& rule, std::vector<double>& w,
                                                double& intercept) {
  constexpr double kNoise = 1e-15;
  const size_t m = columns.size();
  SolveResult result;
  double value = rows_.evaluate() + penalty(penalties, w);
  const double unit = std::fmax(value, std::numeric_limits<double>::min());
  result.loss_curve.push_back(value);
  double last = std::numeric_limits<double>::infinity(), least = last;
  while (true) {
    if (!std::isfinite(value)) {
      result.status = SolveStatus::kDiverged;
      return result;
    }
    begin(columns, penalties, w);
    // Far away the model is rough and so may be its minimum; near, each step squares what is left.
    minimise_model(columns, std::clamp(0.1 * last / unit, 1e-6, 0.1));
    const double promised = decrement();
    const bool below_noise = promised < kNoise * value;
    const bool over = !(promised > rule.decrement) || (below_noise && promised > 0.1 * least);
    if (!over && result.iterations == rule.max_iterations) return result;
    last = promised;
    least = std::fmin(least, promised);

    std::vector<double> next = w;
    double length = 1, reached = 0, next_value = value;
    bool found = false;
    for (int tries = 0; tries < 40 && !found; ++tries, length = found ? length : length / 2) {
      add_direction(columns, length - reached);
      reached = length;
      for (const Coordinate& c : active_) {
        next[c.output * m + c.slot] = length == 1 ? c.to : c.from + length * (c.to - c.from);
      }
      next_value = rows_.evaluate() + penalty(penalties, next);
      found = value - next_value >= 1e-4 * length * promised ||
              (promised < 10 * kNoise * value && value - next_value >= -2 * kNoise * value) || over;
    }
    if (!found) {
      add_direction(columns, -reached);
      rows_.evaluate();
      if (below_noise) result.status = SolveStatus::kConverged;
      return result;
    }
    w.swap(next);
    if (intercept_) intercept += length * change_;
    value = next_value;
    if (over) {
      result.status = SolveStatus::kConverged;
      return result;
    }
    ++result.iterations;
    result.loss_curve.push_back(value);
  }
}

template class ColumnNewton<float, false>;
template class ColumnNewton<float, true>;
template class ColumnNewton<double, false>;
template class ColumnNewton<double, true>;

}  // namespace maas
