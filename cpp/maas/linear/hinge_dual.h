// Dual coordinate descent for the hinge loss or its square (Hsieh, Chang, Lin, Keerthi and Sundararajan, "A
// dual coordinate descent method for large-scale linear SVM", 2008), with its shrinking of rows that rest at
// a bound.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <limits>
#include <numeric>
#include <vector>

#include "maas/base/interrupt.h"
#include "maas/base/random.h"
#include "maas/linear/minimise.h"

namespace maas {

struct DualSolution : SolveResult {
  std::vector<double> theta;
};

// Minimises |theta|² / 2 + Σ_i cost_i max(0, 1 - sign_i x_i . theta) over the `columns` of theta. Rows gives
// square(i) = |x_i|², dot(i, theta) and add(i, factor, theta), in doubles. One thread; the order of the rows
// is fixed. Stops where the objective is within `tolerance`, relative, of the dual's and projected gradients
// are within `flat` of each other; the first alone counts as convergence.
template <class Rows>
class HingeDual {
 public:
  HingeDual(const Rows& rows, size_t columns, const std::vector<double>& sign,
            const std::vector<double>& cost, bool squared)
      : rows_(rows),
        sign_(sign),
        cost_(cost),
        squared_(squared),
        alpha_(sign.size(), 0.0),
        upper_(cost),
        diagonal_(sign.size(), 0.0),
        square_(sign.size()) {
    found_.theta.assign(columns, 0.0);
    for (size_t i = 0; i < sign.size(); ++i) {
      square_[i] = rows.square(i);
      if (!(cost[i] > 0)) continue;
      all_.push_back(static_cast<uint32_t>(i));
      // A square costs a multiplier its own square instead of a bound.
      if (!squared) continue;
      upper_[i] = std::numeric_limits<double>::infinity();
      diagonal_[i] = 0.5 / cost[i];
      square_[i] += diagonal_[i];
    }
  }

  DualSolution run(double tolerance, double flat, size_t max_rounds) {
    std::vector<uint32_t> active = all_;
    constexpr double kNever = std::numeric_limits<double>::infinity();
    double above = kNever, below = -kNever;  // projected gradients of the last round: where to shrink
    double enough = 0.1;                     // spread of projected gradients to check the gap at
    found_.status = SolveStatus::kMaxIterations;
    for (; found_.iterations < max_rounds; ++found_.iterations) {
      poll_interrupt();
      Spread spread = round(active, above, below);
      if (spread.width() <= enough) {
        const bool everything = active.size() == all_.size();
        if (everything && close(tolerance)) found_.status = SolveStatus::kConverged;
        if (found_.status == SolveStatus::kConverged && everything && spread.width() <= flat) break;
        if (everything) enough = std::max(enough / 10, 1e-15);
        active = all_;
        above = kNever;
        below = -kNever;
        continue;
      }
      above = spread.high > 0 ? spread.high : kNever;
      below = spread.low < 0 ? spread.low : -kNever;
    }
    return std::move(found_);
  }

 private:
  struct Spread {
    double high = 0, low = 0;
    double width() const { return high - low; }
  };

  // One step on each active row, in random order; rows at a bound that their gradient holds are dropped.
  Spread round(std::vector<uint32_t>& active, double above, double below) {
    RandomStream random(0, 0x68696E6765, found_.iterations << 32);
    for (size_t i = active.size(); i > 1; --i) {
      std::swap(active[i - 1], active[random.below(static_cast<uint32_t>(i))]);
    }
    Spread spread;
    size_t kept = 0;
    for (const uint32_t i : active) {
      const double gradient = sign_[i] * rows_.dot(i, found_.theta.data()) - 1 + diagonal_[i] * alpha_[i];
      double projected = gradient;
      if (alpha_[i] == 0) {
        if (gradient > above) continue;
        projected = std::min(gradient, 0.0);
      } else if (alpha_[i] == upper_[i]) {
        if (gradient < below) continue;
        projected = std::max(gradient, 0.0);
      }
      active[kept++] = i;
      spread.high = std::max(spread.high, projected);
      spread.low = std::min(spread.low, projected);
      if (projected == 0 || square_[i] == 0) continue;
      const double old = alpha_[i];
      alpha_[i] = std::clamp(old - gradient / square_[i], 0.0, upper_[i]);
      rows_.add(i, sign_[i] * (alpha_[i] - old), found_.theta.data());
    }
    active.resize(kept);
    return spread;
  }

  // theta is Σ sign alpha x, so that the dual's value is Σ alpha - |theta|² / 2, less the squares' costs.
  bool close(double tolerance) {
    double half = 0, loss = 0, sum = 0;
    for (const double w : found_.theta) half += w * w / 2;
    for (const uint32_t i : all_) {
      const double miss = std::max(0.0, 1 - sign_[i] * rows_.dot(i, found_.theta.data()));
      loss += cost_[i] * (squared_ ? miss * miss : miss);
      sum += alpha_[i] - diagonal_[i] * alpha_[i] * alpha_[i] / 2;
    }
    found_.loss_curve.push_back(half + loss);
    return half + loss - (sum - half) <= tolerance * (half + loss);
  }

  const Rows& rows_;
  const std::vector<double>&sign_, &cost_;
  const bool squared_;
  std::vector<double> alpha_, upper_;  // multipliers, in [0, upper]
  std::vector<double> diagonal_;       // what the squares add to the dual's diagonal
  std::vector<double> square_;         // the dual's diagonal
  std::vector<uint32_t> all_;
  DualSolution found_;
};

}  // namespace maas
