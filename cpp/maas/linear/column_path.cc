#include "maas/linear/column_path.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "maas/base/aligned.h"
#include "maas/base/interrupt.h"
#include "maas/kernels/reduce.h"
#include "maas/linear/coordinate_descent.h"
#include "maas/linear/residual_descent.h"

namespace maas {
namespace {

// A centred column whose squares are this far below those about the origin is constant but for rounding.
constexpr double kConstant = 1e-28;
// The products of the columns that came in are kept while there are about as many as there are values in X,
// within these numbers of columns.
constexpr size_t kLeastGram = 512, kMostGram = 4096;
// Without them nothing but sweeps is left, and the last digits would take most of the time.
constexpr double kResidualTolerance = 500;
constexpr double kLoose = 1e6;   // times the tolerance, while columns still come in
constexpr size_t kAtOnce = 100;  // columns let in at once, at least
constexpr uint32_t kOutside = std::numeric_limits<uint32_t>::max();

// The state of one path.
class Descent {
 public:
  Descent(const ColumnProblem& problem, size_t target, const ElasticNetOptions& options,
          const std::vector<double>& start)
      : source_(problem.source()),
        moments_(problem.moments()),
        y_(problem.target(target)),
        options_(options),
        w_(source_.cols()),
        gradient_(source_.cols()),
        place_(source_.cols(), kOutside),
        residual_(y_),
        weighted_(source_.rows()) {
    const auto values = static_cast<double>(source_.work());
    most_ = std::clamp(static_cast<size_t>(std::sqrt(2 * values)), kLeastGram, kMostGram);
    std::vector<uint32_t> support;
    for (size_t j = 0; j < start.size(); ++j) {
      if (start[j] != 0 && !constant(j)) support.push_back(static_cast<uint32_t>(j));
    }
    admit(support);
    for (size_t i = 0; i < set_.size(); ++i) change_[i] = start[set_[i]];
    apply_changes();
    y_square_ = weighted_square(y_, y_);
    look_at_all();
    last_l1_ = 0;
    for (const double g : gradient_) last_l1_ = std::max(last_l1_, std::fabs(g));
  }

  void solve(double l1, double l2) {
    l1_ = l1;
    l2_ = l2;
    iterations_ = 0;
    admit(strongest(all_outside(l1)));
    std::vector<uint32_t> strong = all_outside(2 * l1 - last_l1_);
    const bool many = 4 * strong.size() > w_.size();  // then all columns are looked at, side by side
    if (many) strong.clear();
    // Rough solutions tell which columns come in; only from the last all of them must be looked at.
    double looseness = strong.empty() && !many ? 1 : kLoose;
    if (set_.size() > most_) {  // without products, letting columns in costs nothing
      admit(violators(strong, -std::numeric_limits<double>::infinity()));
      looseness = 1;
    }
    while (true) {
      descend(looseness);
      if (options_.poll) poll_interrupt();
      std::vector<uint32_t> found;
      if (converged_) found = look_for_violators(strong, many && looseness > 1, looseness);
      if (found.empty() && looseness > 1 && converged_) {
        looseness = 1;
        continue;
      }
      if (found.empty()) {
        look_at_all();
        if (converged_) found = violators(all_outside(l1), 1);
      }
      if (found.empty()) break;
      admit(strongest(std::move(found)));
    }
    last_l1_ = l1;
  }

  PathPoint point(size_t index, double y_mean, bool intercept) const {
    GapTerms terms;
    double shift = 0;
    for (size_t j = 0; j < w_.size(); ++j) {
      terms.coef_l1 += std::fabs(w_[j]);
      terms.coef_square += w_[j] * w_[j];
      terms.gradient_square += gradient_[j] * gradient_[j];
      const double slope = -gradient_[j] - l2_ * w_[j];
      terms.dual_norm = std::max(terms.dual_norm, options_.positive ? slope : std::fabs(slope));
      shift += w_[j] * moments_.mean[j];
    }
    terms.y_square = y_square_;
    terms.residual_square = weighted_square(residual_, residual_);
    terms.residual_y = weighted_square(residual_, y_);
    const double gap = dual_gap(terms, l1_, l2_);
    return {index,
            w_.data(),
            intercept ? y_mean - shift : 0.0,
            gap / moments_.weight,
            std::max<size_t>(1, iterations_),
            converged_ || gap <= options_.tolerance * y_square_,
            residual_.data()};
  }

 private:
  double weighted_square(const std::vector<double>& a, const std::vector<double>& b) const {
    double sum = 0;
    for (size_t i = 0; i < a.size(); ++i) sum += moments_.weights[i] * a[i] * b[i];
    return sum;
  }

  double pull(size_t j) const { return options_.positive ? -gradient_[j] : std::fabs(gradient_[j]); }

  bool constant(size_t j) const {
    return moments_.square[j] <= kConstant * moments_.weight * moments_.mean[j] * moments_.mean[j];
  }

  // Columns not in the set whose gradient is beyond a bound.
  std::vector<uint32_t> all_outside(double bound) const {
    std::vector<uint32_t> out;
    for (size_t j = 0; j < w_.size(); ++j) {
      if (place_[j] == kOutside && pull(j) >= bound && !constant(j)) out.push_back(static_cast<uint32_t>(j));
    }
    return out;
  }

  std::vector<uint32_t> violators(const std::vector<uint32_t>& among, double looseness) const {
    const double enough = looseness * step_tolerance(options_.tolerance) * std::sqrt(y_square_);
    std::vector<uint32_t> out;
    for (const uint32_t j : among) {
      if (place_[j] != kOutside) continue;
      if (pull(j) - l1_ > enough * std::sqrt(moments_.square[j] + l2_)) out.push_back(j);
    }
    return out;
  }

  std::vector<uint32_t> look_for_violators(const std::vector<uint32_t>& strong, bool all, double looseness) {
    if (all) {
      look_at_all();
      return violators(all_outside(l1_), looseness);
    }
    look_at(strong);
    return violators(strong, looseness);
  }

  // Of the columns found those that pull most: about as many as are in the solution already.
  std::vector<uint32_t> strongest(std::vector<uint32_t> found) const {
    size_t support = 0;
    for (const uint32_t j : set_) support += w_[j] != 0;
    const size_t most = std::max(kAtOnce, 2 * support);
    if (found.size() <= most || set_.size() > most_) return found;
    std::sort(found.begin(), found.end(),
              [&](uint32_t a, uint32_t b) { return pull(a) > pull(b) || (pull(a) == pull(b) && a < b); });
    found.resize(most);
    return found;
  }

  void weigh_residual() {
    residual_sum_ = 0;
    for (size_t i = 0; i < residual_.size(); ++i) {
      weighted_[i] = moments_.weights[i] * residual_[i];
      residual_sum_ += weighted_[i];
    }
  }
  double centred(size_t j, double product) const { return moments_.mean[j] * residual_sum_ - product; }

  void look_at(const std::vector<uint32_t>& columns) {
    weigh_residual();
    for (const uint32_t j : columns) gradient_[j] = centred(j, source_.product(j, weighted_.data()));
  }
  void look_at_all() {
    weigh_residual();
    source_.products(weighted_.data(), gradient_.data());
    for (size_t j = 0; j < gradient_.size(); ++j) gradient_[j] = centred(j, gradient_[j]);
  }

  void admit(const std::vector<uint32_t>& columns) {
    const size_t from = set_.size();
    for (const uint32_t j : columns) {
      place_[j] = static_cast<uint32_t>(set_.size());
      set_.push_back(j);
    }
    change_.resize(set_.size());
    if (columns.empty()) return;
    if (set_.size() > most_) {
      gram_ = {};
      return;
    }
    if (set_.size() > ld_) {
      const size_t ld = std::min(most_, std::max<size_t>(64, 2 * set_.size()));
      AlignedBuffer<double> larger(ld * ld);
      for (size_t i = 0; i < from; ++i) std::copy(&gram_[i * ld_], &gram_[i * ld_] + from, &larger[i * ld]);
      gram_ = std::move(larger);
      ld_ = ld;
    }
    source_.extend_gram(set_, from, moments_, gram_.data(), ld_);
  }

  void descend(double looseness) {
    const std::vector<double> before = w_;
    CoordinateOptions options;
    options.tolerance = looseness * step_tolerance(options_.tolerance) * std::sqrt(y_square_);
    options.max_sweeps = options_.max_iterations - std::min(options_.max_iterations, iterations_);
    options.random = options_.random;
    options.seed = options_.seed + iterations_;
    options.poll = options_.poll;
    const CoordinateResult result = gram_.size() > 0 ? descend_products(options) : sweep_residuals(options);
    iterations_ += result.sweeps;
    converged_ = result.converged;
    for (size_t i = 0; i < set_.size(); ++i) {
      change_[i] = w_[set_[i]] - before[set_[i]];
      w_[set_[i]] = before[set_[i]];
    }
    apply_changes();
  }

  CoordinateResult descend_products(const CoordinateOptions& options) {
    const size_t m = set_.size();
    std::vector<double> w(m), g(m), l1(m, l1_), l2(m, l2_);
    for (size_t i = 0; i < m; ++i) {
      w[i] = w_[set_[i]];
      g[i] = gradient_[set_[i]];
    }
    const PenalisedQuadratic model{gram_.data(), ld_, m, l1.data(), l2.data(), options_.positive};
    const CoordinateResult result = descend_coordinates(model, options, w.data(), g.data());
    for (size_t i = 0; i < m; ++i) {
      w_[set_[i]] = w[i];
      gradient_[set_[i]] = g[i];
    }
    return result;
  }

  CoordinateResult sweep_residuals(CoordinateOptions options) {
    options.tolerance *= kResidualTolerance;
    weigh_residual();
    return descend_residuals(source_, moments_, set_, {l1_, l2_, options_.positive}, options, weighted_, w_);
  }

  void apply_changes() {
    double shift = 0;
    for (size_t i = 0; i < set_.size(); ++i) {
      if (change_[i] == 0) continue;
      const size_t j = set_[i];
      w_[j] += change_[i];
      source_.add_column(j, -change_[i], residual_.data());
      shift += change_[i] * moments_.mean[j];
    }
    if (shift == 0) return;
    for (double& r : residual_) r += shift;
  }

  const ColumnSource& source_;
  const ColumnMoments& moments_;
  const std::vector<double>& y_;
  const ElasticNetOptions& options_;
  double y_square_ = 0, l1_ = 0, l2_ = 0, last_l1_ = 0, residual_sum_ = 0;
  size_t iterations_ = 0;
  bool converged_ = false;
  std::vector<double> w_, gradient_;
  std::vector<uint32_t> set_;    // columns that ever came in
  std::vector<uint32_t> place_;  // of each column in the set
  std::vector<double> change_;   // of the set's coefficients
  AlignedBuffer<double> gram_;   // of the set, row stride ld_
  size_t ld_ = 0;
  size_t most_ = 0;  // columns whose products are kept
  std::vector<double> residual_, weighted_;
};

}  // namespace

ColumnProblem::ColumnProblem(const ColumnSource& source, const std::vector<std::vector<double>>& y,
                             std::vector<double> weights, bool intercept)
    : source_(source), moments_(source.moments(std::move(weights), intercept)), y_(y), y_mean_(y.size()) {
  for (size_t k = 0; k < y_.size() && intercept; ++k) {
    y_mean_[k] =
        reduce(Reduction::kDot, y_[k].size(), y_[k].data(), moments_.weights.data()) / moments_.weight;
    for (double& value : y_[k]) value -= y_mean_[k];
  }
}

double ColumnProblem::largest_product(size_t target, bool positive) const {
  const std::vector<double>& y = y_[target];
  std::vector<double> weighted(y.size()), product(source_.cols());
  for (size_t i = 0; i < y.size(); ++i) weighted[i] = moments_.weights[i] * y[i];
  const double sum = reduce(Reduction::kSum, weighted.size(), weighted.data());
  source_.products(weighted.data(), product.data());
  double largest = 0;
  for (size_t j = 0; j < product.size(); ++j) {
    const double b = product[j] - moments_.mean[j] * sum;
    largest = std::max(largest, positive ? b : std::fabs(b));
  }
  return largest / moments_.weight;
}

void ColumnProblem::path(size_t target, const ElasticNetOptions& options, const std::vector<double>& alphas,
                         const std::vector<double>& start, const PathVisitor& visit) const {
  Descent descent(*this, target, options, start);
  for (size_t k = 0; k < alphas.size(); ++k) {
    const double penalty = alphas[k] * moments_.weight;
    descent.solve(penalty * options.l1_ratio, penalty * (1 - options.l1_ratio));
    // Zero means: no centring was asked for.
    visit(descent.point(k, y_mean_[target], true));
  }
}

}  // namespace maas
