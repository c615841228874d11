#include "maas/linear/l1_quadratic.h"

#include <algorithm>
#include <cmath>

#include "maas/base/interrupt.h"
#include "maas/linear/cholesky.h"
#include "maas/linear/vector_math.h"

namespace maas {
namespace {

double soft(double v, double threshold) {
  if (v > threshold) return v - threshold;
  if (v < -threshold) return v + threshold;
  return 0;
}

double sign(double v) { return v > 0 ? 1.0 : v < 0 ? -1.0 : 0.0; }

class Solver {
 public:
  explicit Solver(const L1Quadratic& p)
      : p_(p), u_(p.from, p.from + p.n), gradient_(p.gradient, p.gradient + p.n) {}

  std::vector<double> run() {
    constexpr int kRounds = 100;
    constexpr int kSweeps = 6;             // cheaper than a factorisation, and enough for an easy problem
    constexpr double kNegligible = 1e-13;  // of all that was won: the step is off by its square root
    double total = 0;
    for (int round = 0; round < kRounds; ++round) {
      for (int i = 0; i < kSweeps; ++i) {
        const double won = sweep();
        total += won;
        if (won <= kNegligible * total) return std::move(u_);
      }
      poll_interrupt();
      double won = 0;
      for (int tries = 0; tries < 30; ++tries) {
        const Step step = solve_free();
        won += step.won;
        if (!step.blocked) break;
      }
      total += won;
    }
    return std::move(u_);
  }

 private:
  struct Step {
    double won = 0;
    bool blocked = false;  // a coordinate became zero on the way: there is more to win
  };

  const double* row(size_t j) const { return p_.b + j * p_.n; }

  // Each coordinate to its minimum in turn; returns by how much the problem fell.
  double sweep() {
    double won = 0;
    for (size_t j = 0; j < p_.n; ++j) {
      const double h = row(j)[j];
      const double next = soft(u_[j] - gradient_[j] / h, p_.l1[j] / h);
      const double change = next - u_[j];
      if (change == 0) continue;
      won += h * change * change / 2;
      add_scaled(change, row(j), gradient_.data(), p_.n);
      u_[j] = next;
    }
    return won;
  }

  // The coordinates that are not zero, to the minimum that they have while they keep their signs.
  Step solve_free() {
    std::vector<size_t> free;
    for (size_t j = 0; j < p_.n; ++j) {
      if (u_[j] != 0 || p_.l1[j] == 0) free.push_back(j);
    }
    const size_t count = free.size();
    std::vector<double> change(count);
    for (size_t i = 0; i < count; ++i) change[i] = -slope(free[i]);
    if (!solve_block(free, change)) return {};

    // All that would change sign become zero, if that falls; else the first of them alone.
    std::vector<double> clipped = change;
    double first = 1;
    for (size_t i = 0; i < count; ++i) {
      const size_t j = free[i];
      if (p_.l1[j] == 0 || (u_[j] + change[i]) * u_[j] > 0) continue;
      clipped[i] = -u_[j];
      first = std::fmin(first, -u_[j] / change[i]);
    }
    Step step = try_change(free, clipped);
    step.blocked = first < 1;
    if (step.won > 0 || first == 1) return step;
    for (size_t i = 0; i < count; ++i) {
      const bool stops = clipped[i] != change[i] && -u_[free[i]] / change[i] <= first;
      clipped[i] = stops ? -u_[free[i]] : first * change[i];
    }
    step = try_change(free, clipped);
    step.blocked = step.won > 0;
    return step;
  }

  // The derivative along coordinate j, where it is not zero or not penalised.
  double slope(size_t j) const { return gradient_[j] + p_.l1[j] * sign(u_[j]); }

  // change := B[free, free]⁻¹ change. A singular block is lifted by a trace of its diagonal.
  bool solve_block(const std::vector<size_t>& free, std::vector<double>& change) const {
    const size_t n = free.size();
    std::vector<double> factor(n * n);
    for (double lift = 0; lift < 1; lift = std::fmax(1e-13, 100 * lift)) {
      for (size_t i = 0; i < n; ++i) {
        for (size_t k = i; k < n; ++k) factor[i * n + k] = row(free[i])[free[k]];
        factor[i * n + i] *= 1 + lift;
      }
      if (cholesky(factor.data(), n, n) < n) continue;
      cholesky_solve(factor.data(), n, n, change.data(), 1, 1);
      return std::all_of(change.begin(), change.end(), [](double v) { return std::isfinite(v); });
    }
    return false;
  }

  // Moves by `change` on the coordinates `free` if the problem falls by it.
  Step try_change(const std::vector<size_t>& free, const std::vector<double>& change) {
    std::vector<double> curved(p_.n, 0.0);  // B change
    for (size_t i = 0; i < free.size(); ++i) add_scaled(change[i], row(free[i]), curved.data(), p_.n);
    double won = 0;
    for (size_t i = 0; i < free.size(); ++i) {
      const size_t j = free[i];
      won -= change[i] * (slope(j) + curved[j] / 2);
    }
    if (!(won > 0)) return {};
    for (size_t i = 0; i < free.size(); ++i) u_[free[i]] += change[i];
    add_scaled(1.0, curved.data(), gradient_.data(), p_.n);
    return {won, false};
  }

  const L1Quadratic& p_;
  std::vector<double> u_;
  std::vector<double> gradient_;  // of the quadratic, at u
};

}  // namespace

std::vector<double> minimise_l1_quadratic(const L1Quadratic& problem) { return Solver(problem).run(); }

}  // namespace maas
