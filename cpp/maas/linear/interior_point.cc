#include "maas/linear/interior_point.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

#include "maas/base/interrupt.h"
#include "maas/kernels/gram.h"
#include "maas/kernels/linear_pass.h"
#include "maas/linear/box_rows.h"
#include "maas/linear/cholesky.h"
#include "maas/linear/lifted_cholesky.h"
#include "maas/linear/vector_math.h"

namespace maas {
namespace {

constexpr size_t kLongestBlock = 512;              // rows of a panel
using Column = std::array<double, kLongestBlock>;  // a value a row of a block

// The state of `n` rows; b, weight and u stay with the caller.
class BoxState {
 public:
  BoxState(const std::vector<double>& b, const std::vector<double>& weight, const std::vector<double>& u)
      : n_(b.size()), state_(6 * n_, 0.0) {
    double* const at = state_.data();
    rows_ = {at,          at + n_,  at + 2 * n_,   at + 3 * n_, at + 4 * n_,
             at + 5 * n_, b.data(), weight.data(), u.data()};
  }
  size_t size() const { return n_; }
  const BoxRows& rows() const { return rows_; }

 private:
  size_t n_;
  AlignedBuffer<double> state_;
  BoxRows rows_;
};

// The condensed system at a point, and what the point is worth.
struct System {
  std::vector<double> matrix;  // XᵀDX + P, then its factor
  std::vector<double> rhs;     // of the predictor
  BoxTotals totals;
  double value = 0, lower_bound = 0;
};

// Solves with the condensed matrix. Its diagonal is lifted a little, so that dependent columns get bounded
// steps; one refinement gives the others their digits back.
class CondensedSolver {
 public:
  CondensedSolver(const std::vector<double>& matrix, size_t k) : matrix_(matrix), factor_(matrix), k_(k) {
    for (size_t j = 0; j < k; ++j) factor_[j * k + j] *= 1 + 1e-12;
    lifted_cholesky(factor_.data(), k);
  }

  std::vector<double> solve(const std::vector<double>& rhs) const {
    std::vector<double> x = rhs, left(k_);
    cholesky_solve(factor_.data(), k_, k_, x.data(), 1, 1);
    for (size_t i = 0; i < k_; ++i) left[i] = rhs[i] - dot(matrix_.data() + i * k_, x.data(), k_);
    cholesky_solve(factor_.data(), k_, k_, left.data(), 1, 1);
    for (size_t i = 0; i < k_; ++i) x[i] += left[i];
    return x;
  }

 private:
  const std::vector<double>& matrix_;
  std::vector<double> factor_;
  const size_t k_;
};

class InteriorPoint {
 public:
  explicit InteriorPoint(const BoxProblem& problem)
      : problem_(problem),
        source_(problem.source),
        k_(source_.columns()),
        zeros_(problem.l1 > 0 ? source_.features() : 0, 0.0),
        l1_weight_(zeros_.size(), 2 * problem.l1),
        half_(zeros_.size(), 0.5),
        rows_(problem.b, problem.weight, problem.u),
        penalty_rows_(zeros_, l1_weight_, half_),
        theta_(k_, 0.0) {
    double size = 0, least = std::numeric_limits<double>::infinity();
    for (size_t i = 0; i < rows_.size(); ++i) {
      const double w = problem.weight[i];
      mass_ += w;
      size += w * std::abs(problem.b[i]);
      if (w > 0) least = std::min(least, w);
    }
    spread_ = size / mass_;
    start_rows(rows_.rows(), rows_.size(), spread_);
    if (zeros_.empty()) return;
    const double unit = std::max(least, mass_ / (16 * static_cast<double>(rows_.size())));
    penalty_mu_ = unit / (2 * problem.l1);
    mass_ += unit * static_cast<double>(zeros_.size());
    start_rows(penalty_rows_.rows(), penalty_rows_.size(), spread_ * penalty_mu_);
  }

  BoxSolution run(double tolerance, size_t max_iterations);

 private:
  System condense(bool advance);
  void finish(const std::vector<double>& sums, System& system) const;
  void predict(const std::vector<double>& change, BoxPrediction& prediction, BoxLimits& limits,
               std::vector<double>& r0, std::vector<double>& r1);
  BoxLimits correct(const std::vector<double>& change, double mu);
  void take_step(System& system);
  void drop_inactive(BoxSolution& best, double tolerance);

  const BoxProblem& problem_;
  const PanelSource& source_;
  const size_t k_;
  // |w_j| is a row of its own: weight 2 l1, both slopes a half, the margin w_j, the target zero.
  std::vector<double> zeros_, l1_weight_, half_;
  BoxState rows_, penalty_rows_;
  std::vector<double> theta_;
  BoxStep step_;
  double spread_ = 0;
  // On the central path rows share the gap by their weights, as repeated rows would, and each |w_j| has the
  // share of the lightest row: its own weight may be a million times that, and would starve the others.
  double mass_ = 0;
  double penalty_mu_ = 0;  // mu of the penalty's rows, a unit of weight, over that of the others
};

// Takes the last step where told to, and forms the system of the next.
System InteriorPoint::condense(bool advance) {
  const size_t gram_size = gram_accumulator_size(k_, k_), area = k_ * k_;
  const BoxStep step = step_;
  const auto fold = [&](PanelBlock& block, size_t, double* sums) {
    if (block.gram.size() == 0) block.gram = AlignedBuffer<double>(gram_size, 0.0);
    const BoxRows rows = rows_.rows().from(block.begin);
    if (advance) advance_rows(rows, block.rows, step);
    alignas(64) Column z, h;
    alignas(64) std::array<double, 2 * kLongestBlock> columns;
    double* const rhs = columns.data();
    double* const a = rhs + block.ld;
    panel_margins(block.panel.data(), block.ld, k_, theta_.data(), 1, z.data());
    BoxTotals totals;
    measure_rows(rows, block.rows, z.data(), h.data(), rhs, a, totals);
    for (size_t i = block.rows; i < block.ld; ++i) h[i] = rhs[i] = a[i] = 0;
    sums[0] += totals.value;
    sums[1] += totals.dual;
    sums[2] += totals.gap;
    panel_products(rhs, 2, block.panel.data(), k_, block.ld, sums + 3);
    gram_panel(block.panel.data(), k_, block.panel.data(), k_, block.ld, block.ld, h.data(),
               block.gram.data());
  };
  const auto end = [&](PanelBlock& block, double* sums) {
    gram_finish(block.gram.data(), k_, k_, true, sums + 3 + 2 * k_, k_);
    std::fill(block.gram.begin(), block.gram.end(), 0.0);
  };
  System system;
  const std::vector<double> sums = source_.fold(3 + 2 * k_ + area, area, fold, end);
  if (advance) {
    advance_rows(penalty_rows_.rows(), penalty_rows_.size(), {step.mu * penalty_mu_, step.primal, step.dual});
  }
  finish(sums, system);
  return system;
}

// Adds the penalties to the sums of the rows.
void InteriorPoint::finish(const std::vector<double>& sums, System& system) const {
  system.totals = {sums[0], sums[1], sums[2]};
  const double* const products = sums.data() + 3;
  system.rhs.assign(products, products + k_);
  std::vector<double> multipliers(products + k_, products + 2 * k_);  // Xᵀ weight a
  system.matrix.assign(products + 2 * k_, products + 2 * k_ + k_ * k_);
  const size_t d = penalty_rows_.size();
  std::vector<double> h(d), rhs(d), a(d);
  measure_rows(penalty_rows_.rows(), d, theta_.data(), h.data(), rhs.data(), a.data(), system.totals);
  for (size_t j = 0; j < d; ++j) {
    system.matrix[j * k_ + j] += h[j];
    system.rhs[j] += rhs[j];
    multipliers[j] += a[j];
  }
  system.value = system.totals.value;
  system.lower_bound = system.totals.dual;
  for (size_t j = 0; j < k_; ++j) {
    const double p = problem_.quadratic.empty() ? 0.0 : problem_.quadratic[j];
    system.matrix[j * k_ + j] += p;
    system.rhs[j] += multipliers[j] - p * theta_[j];
    // Without a quadratic the multipliers bound the objective as far as Xᵀ weight a is zero.
    if (p == 0) system.lower_bound -= std::abs(multipliers[j] * theta_[j]);
    if (p == 0) continue;
    system.value += p * theta_[j] * theta_[j] / 2;
    system.lower_bound -= multipliers[j] * multipliers[j] / (2 * p);
  }
}

// Two sets of weights side by side: the point and a change of it.
std::vector<double> side_by_side(const std::vector<double>& theta, const std::vector<double>& change) {
  std::vector<double> both = theta;
  both.insert(both.end(), change.begin(), change.end());
  return both;
}

void add(const BoxPrediction& from, BoxPrediction& to) {
  to.primal += from.primal;
  to.dual += from.dual;
  to.both += from.both;
}

void widen(const BoxLimits& from, BoxLimits& to) {
  to.primal = std::max(to.primal, from.primal);
  to.dual = std::max(to.dual, from.dual);
}

void InteriorPoint::predict(const std::vector<double>& change, BoxPrediction& prediction, BoxLimits& limits,
                            std::vector<double>& r0, std::vector<double>& r1) {
  const size_t size = 3 + 2 * k_, work = 8 * k_;
  const std::vector<double> weights = side_by_side(theta_, change);
  std::vector<BoxLimits> of_shard(source_.shards(size, work).count());
  const auto fold = [&](PanelBlock& block, size_t shard, double* sums) {
    alignas(64) std::array<double, 2 * kLongestBlock> margins, columns;
    panel_margins(block.panel.data(), block.ld, k_, weights.data(), 2, margins.data());
    columns.fill(0);
    BoxPrediction own;
    predict_rows(rows_.rows().from(block.begin), block.rows, margins.data(), margins.data() + block.ld,
                 columns.data(), columns.data() + block.ld, own, of_shard[shard]);
    sums[0] += own.primal;
    sums[1] += own.dual;
    sums[2] += own.both;
    panel_products(columns.data(), 2, block.panel.data(), k_, block.ld, sums + 3);
  };
  const std::vector<double> sums = source_.fold(size, work, fold, [](PanelBlock&, double*) {});
  prediction = {sums[0], sums[1], sums[2]};
  for (const BoxLimits& l : of_shard) widen(l, limits);
  r0.assign(sums.begin() + 3, sums.begin() + static_cast<ptrdiff_t>(3 + k_));
  r1.assign(sums.begin() + static_cast<ptrdiff_t>(3 + k_), sums.end());

  const size_t d = penalty_rows_.size();
  std::vector<double> own_r0(d), own_r1(d);
  BoxPrediction own;
  predict_rows(penalty_rows_.rows(), d, theta_.data(), change.data(), own_r0.data(), own_r1.data(), own,
               limits);
  add(own, prediction);
  for (size_t j = 0; j < d; ++j) {
    r0[j] += own_r0[j];
    r1[j] += penalty_mu_ * own_r1[j];
  }
}

BoxLimits InteriorPoint::correct(const std::vector<double>& change, double mu) {
  const size_t work = 8 * k_;
  const std::vector<double> weights = side_by_side(theta_, change);
  std::vector<BoxLimits> of_shard(source_.shards(1, work).count());
  const auto fold = [&](PanelBlock& block, size_t shard, double*) {
    alignas(64) std::array<double, 2 * kLongestBlock> margins;
    panel_margins(block.panel.data(), block.ld, k_, weights.data(), 2, margins.data());
    correct_rows(rows_.rows().from(block.begin), block.rows, margins.data(), margins.data() + block.ld, mu,
                 of_shard[shard]);
  };
  source_.fold(1, work, fold, [](PanelBlock&, double*) {});
  BoxLimits limits;
  for (const BoxLimits& l : of_shard) widen(l, limits);
  correct_rows(penalty_rows_.rows(), penalty_rows_.size(), theta_.data(), change.data(), mu * penalty_mu_,
               limits);
  return limits;
}

// The length of a step that stops short of taking all of anything.
double length(double limit) {
  constexpr double kShort = 0.9995;
  return limit * 1.0 > kShort ? kShort / limit : 1.0;
}

// Mehrotra: a predictor step to mu = 0 tells how much centring pays, and how the products bend.
void InteriorPoint::take_step(System& system) {
  const CondensedSolver solver(system.matrix, k_);
  std::vector<double> change = solver.solve(system.rhs);
  BoxPrediction prediction;
  BoxLimits limits;
  std::vector<double> r0, r1;
  predict(change, prediction, limits, r0, r1);
  const bool together = !problem_.quadratic.empty();  // the penalty ties primal and dual steps
  const auto lengths = [together](const BoxLimits& l) {
    const double primal = length(l.primal), dual = length(l.dual);
    return together ? BoxStep{0, std::min(primal, dual), std::min(primal, dual)} : BoxStep{0, primal, dual};
  };
  const BoxStep far = lengths(limits);
  const double gap = system.totals.gap;
  const double left = gap + far.primal * prediction.primal + far.dual * prediction.dual +
                      far.primal * far.dual * prediction.both;
  const double share = std::clamp(left / gap, 0.0, 1.0);
  const double mu = share * share * share * gap / (2 * mass_);
  std::vector<double> rhs = system.rhs;
  for (size_t j = 0; j < k_; ++j) rhs[j] += r0[j] + mu * r1[j];
  change = solver.solve(rhs);
  step_ = lengths(correct(change, mu));
  step_.mu = mu;
  add_scaled(step_.primal, change.data(), theta_.data(), k_);
}

// A weight whose multiplier lies well inside its box is zero at the optimum.
void InteriorPoint::drop_inactive(BoxSolution& best, double tolerance) {
  theta_ = best.theta;
  const BoxRows& rows = penalty_rows_.rows();
  for (size_t j = 0; j < penalty_rows_.size(); ++j) {
    if (std::min(rows.s[j], rows.t[j]) > 1e-5) theta_[j] = 0;
  }
  if (theta_ == best.theta) return;
  if (condense(false).value <= best.loss_curve.back() * (1 + tolerance)) best.theta = theta_;
}

BoxSolution InteriorPoint::run(double tolerance, size_t max_iterations) {
  BoxSolution best;
  best.theta = theta_;
  best.status = SolveStatus::kConverged;
  double best_value = std::numeric_limits<double>::infinity();
  double last_gap = best_value, first = 0;
  size_t slow = 0;
  while (spread_ > 0) {
    poll_interrupt();
    System system = condense(best.iterations > 0);
    if (best.iterations == 0) first = system.value;
    if (system.value < best_value) {
      best_value = system.value;
      best.theta = theta_;
    }
    best.loss_curve.push_back(best_value);
    best.lower_bound =
        std::max(system.lower_bound, best.iterations == 0 ? system.lower_bound : best.lower_bound);
    // Zero bounds every loss, whatever rounding does to multipliers where the rows are met exactly.
    const double gap = std::abs(system.value - std::max(system.lower_bound, 0.0));
    if (gap <= tolerance * system.value || gap <= 1e-14 * first) break;
    // The products p s may be nothing before rounding lets the bound show it.
    const bool near = gap <= 1e-8 * system.value || gap <= 1e-12 * first;
    if (near && system.totals.gap <= tolerance * system.value) break;
    ++slow;
    if (system.totals.gap < 0.5 * last_gap) {
      last_gap = system.totals.gap;
      slow = 0;
    }
    if ((near && slow >= 2) || slow >= 30 || !std::isfinite(system.value)) {
      if (!near) best.status = SolveStatus::kMaxIterations;
      break;
    }
    if (best.iterations == max_iterations) {
      best.status = SolveStatus::kMaxIterations;
      break;
    }
    take_step(system);
    ++best.iterations;
  }
  if (problem_.l1 > 0 && spread_ > 0) drop_inactive(best, tolerance);
  return best;
}

}  // namespace

BoxSolution minimise_boxes(const BoxProblem& problem, double tolerance, size_t max_iterations) {
  return InteriorPoint(problem).run(tolerance, max_iterations);
}

}  // namespace maas
