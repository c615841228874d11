#include "maas/linear/coordinate_block.h"

#include <algorithm>
#include <cmath>

#include "maas/base/interrupt.h"
#include "maas/kernels/elementwise.h"
#include "maas/linear/cholesky.h"

namespace maas {
namespace {

constexpr size_t kFirstSweeps = 6;       // before the signs are worth a factorisation
constexpr size_t kSweepsPerColumn = 16;  // a factorisation of m columns costs about m / 6 sweeps
constexpr size_t kPollSweeps = 16;
// Relative, on the diagonal where columns depend on one another: the step then follows the dependence until a
// coordinate reaches zero.
constexpr double kRidge = 1e-10;
// After a Newton step to the minimum, or one that found nothing to do, movements up to this many tolerances
// are rounding.
constexpr double kRounding = 1e3;

}  // namespace

CoordinateBlock::CoordinateBlock(const PenalisedQuadratic& model, const std::vector<uint32_t>& set,
                                 const double* w, const double* gradient)
    : set_(set),
      model_size_(model.size),
      ld_((set.size() + kCoordinatePad - 1) / kCoordinatePad * kCoordinatePad),
      positive_(model.positive),
      hessian_(set.size() * ld_),
      curvature_(ld_),
      inverse_(ld_),
      l1_(ld_),
      l2_(ld_),
      w_(ld_),
      gradient_(ld_) {
  const size_t m = set.size();
  for (size_t i = 0; i < m; ++i) {
    const double* from = model.hessian + set[i] * model.ld;
    double* to = hessian_.data() + i * ld_;
    if (whole()) {
      std::copy(from, from + m, to);
    } else {
      for (size_t k = 0; k < m; ++k) to[k] = from[set[k]];
    }
    std::fill(to + m, to + ld_, 0.0);
    l1_[i] = model.l1[set[i]];
    l2_[i] = model.l2[set[i]];
    w_[i] = w[set[i]];
    gradient_[i] = gradient[set[i]];
    curvature_[i] = to[i] + l2_[i];
    inverse_[i] = curvature_[i] > 0 ? 1 / curvature_[i] : 0;
  }
}

bool CoordinateBlock::minimise(const CoordinateOptions& options, size_t& sweeps) {
  const size_t m = set_.size();
  const CoordinateSweep sweep{
      hessian_.data(), curvature_.data(), inverse_.data(), l1_.data(), l2_.data(), m, ld_,
      positive_,       w_.data(),         gradient_.data()};
  const double enough = options.tolerance * options.tolerance;
  const size_t interval = kFirstSweeps + m / kSweepsPerColumn;
  std::vector<uint32_t> order(options.random ? m : 0);
  size_t since_newton = 0;
  bool solved = false;
  while (sweeps < options.max_sweeps) {
    if (options.random) random_permutation(options.seed, sweeps, order.data(), m);
    const double moved = coordinate_sweep(sweep, options.random ? order.data() : nullptr);
    ++sweeps;
    if (moved <= enough || (solved && moved <= kRounding * kRounding * enough)) return true;
    solved = false;
    if (++since_newton >= interval && sweeps < options.max_sweeps) {
      const bool rounding = moved <= kRounding * kRounding * enough;
      solved = newton_steps(options.poll) || rounding;
      since_newton = 0;
    }
    if (options.poll && sweeps % kPollSweeps == 0) poll_interrupt();
  }
  return m == 0;
}

double CoordinateBlock::slope(size_t j) const {
  const double sign = w_[j] > 0 ? 1.0 : w_[j] < 0 ? -1.0 : 0.0;
  return gradient_[j] + l2_[j] * w_[j] + l1_[j] * sign;
}

std::vector<uint32_t> CoordinateBlock::support() const {
  std::vector<uint32_t> out;
  for (size_t j = 0; j < set_.size(); ++j) {
    if (curvature_[j] > 0 && (w_[j] != 0 || !bounded(j))) {
      out.push_back(static_cast<uint32_t>(j));
    }
  }
  return out;
}

bool CoordinateBlock::newton_steps(bool poll) {
  while (true) {
    const std::vector<uint32_t> s = support();
    bool moved = false;
    for (const double ridge : {0.0, kRidge}) {
      const std::vector<double> step = newton_direction(s, ridge);
      if (step.empty()) continue;
      const double length = first_crossing(s, step);
      moved = move(s, step, length);
      if (moved && length == 1) return ridge == 0;
      if (moved) break;
    }
    if (!moved) return false;
    if (poll) poll_interrupt();
  }
}

std::vector<double> CoordinateBlock::newton_direction(const std::vector<uint32_t>& s, double ridge) const {
  const size_t m = s.size();
  std::vector<double> factor(m * m), step(m);
  for (size_t i = 0; i < m; ++i) {
    const double* row = hessian_.data() + s[i] * ld_;
    for (size_t k = i; k < m; ++k) factor[i * m + k] = row[s[k]];
    factor[i * m + i] = curvature_[s[i]] * (1 + ridge);
    step[i] = -slope(s[i]);
  }
  if (m == 0 || cholesky(factor.data(), m, m) < m) return {};
  cholesky_solve(factor.data(), m, m, step.data(), 1, 1);
  return step;
}

double CoordinateBlock::first_crossing(const std::vector<uint32_t>& s,
                                       const std::vector<double>& step) const {
  double length = 1;
  for (size_t i = 0; i < s.size(); ++i) {
    const double w = w_[s[i]];
    if (bounded(s[i]) && w * step[i] < 0 && std::fabs(step[i]) * length > std::fabs(w)) length = -w / step[i];
  }
  return length;
}

bool CoordinateBlock::move(const std::vector<uint32_t>& s, const std::vector<double>& step, double length) {
  const std::vector<double> old_w = w_, old_gradient = gradient_;
  std::vector<double> sign_slope(s.size());
  double change = 0;
  for (size_t i = 0; i < s.size(); ++i) sign_slope[i] = slope(s[i]) - gradient_[s[i]] - l2_[s[i]] * w_[s[i]];
  for (size_t i = 0; i < s.size(); ++i) {
    const double w = w_[s[i]], to = w + length * step[i];
    w_[s[i]] = bounded(s[i]) && !(w * to > 0) ? 0.0 : to;
    const double* row = hessian_.data() + s[i] * ld_;
    map_arrays(MapOp::kAxpy, ld_, row, gradient_.data(), gradient_.data(), w_[s[i]] - w);
  }
  // f is quadratic on the way: its change is the step times the mean of the slopes at both ends.
  for (size_t i = 0; i < s.size(); ++i) {
    const size_t j = s[i];
    const double slopes = old_gradient[j] + gradient_[j] + l2_[j] * (old_w[j] + w_[j]) + 2 * sign_slope[i];
    change += (w_[j] - old_w[j]) * slopes;
  }
  if (change < 0) return true;
  w_ = old_w;
  gradient_ = old_gradient;
  return false;
}

void CoordinateBlock::copy_back(double* w, double* gradient) const {
  for (size_t i = 0; i < set_.size(); ++i) {
    w[set_[i]] = w_[i];
    if (gradient != nullptr) gradient[set_[i]] = gradient_[i];
  }
}

}  // namespace maas
