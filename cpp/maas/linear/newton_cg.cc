#include "maas/linear/newton_cg.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "maas/base/interrupt.h"
#include "maas/base/thread_pool.h"

namespace maas {
namespace {

// Calls fn(begin, end) for pieces of [0, n) on the pool and returns the sum of what it returns: pieces and
// order depend on n alone.
template <class Fn>
double sum_pieces(size_t n, const Fn& fn) {
  constexpr size_t kPiece = size_t{1} << 14;
  const size_t pieces = (n + kPiece - 1) / kPiece;
  std::vector<double> sums(pieces);
  parallel_for(pieces, [&](size_t k, int) { sums[k] = fn(k * kPiece, std::min(n, (k + 1) * kPiece)); });
  double sum = 0;
  for (const double s : sums) sum += s;
  return sum;
}

// Σ term(i) over [begin, end) in eight partials, so that additions do not wait for each other.
template <class Term>
double sum_lanes(size_t begin, size_t end, const Term& term) {
  double lanes[8] = {};
  size_t i = begin;
  for (; i + 8 <= end; i += 8) {
    for (size_t lane = 0; lane < 8; ++lane) lanes[lane] += term(i + lane);
  }
  for (size_t lane = 0; i < end; ++i, ++lane) lanes[lane] += term(i);
  return ((lanes[0] + lanes[1]) + (lanes[2] + lanes[3])) + ((lanes[4] + lanes[5]) + (lanes[6] + lanes[7]));
}

}  // namespace

NewtonCgDirection::NewtonCgDirection(CurvedObjective& objective, double decrement)
    : objective_(objective),
      decrement_(decrement),
      inverse_diagonal_(objective.size()),
      residual_(objective.size()),
      direction_(objective.size()),
      product_(objective.size()) {}

void NewtonCgDirection::propose(const double* /*theta*/, const double* gradient, double* d) {
  constexpr int kMostProducts = 250;
  const size_t n = objective_.size();
  double* const inverse = inverse_diagonal_.data();
  double* const r = residual_.data();
  double* const p = direction_.data();
  double* const hp = product_.data();
  objective_.hessian_diagonal(inverse);
  double rho = sum_pieces(n, [&](size_t begin, size_t end) {
    return sum_lanes(begin, end, [&](size_t i) {
      inverse[i] = inverse[i] > 0 ? 1 / inverse[i] : 1.0;
      d[i] = 0;
      r[i] = -gradient[i];
      p[i] = inverse[i] * r[i];
      return r[i] * p[i];
    });
  });
  if (first_ == 0) first_ = rho;
  // Residual to be left, relative to the gradient: rough while far away.
  const double rough = rho > 1e-3 * first_ ? 0.25 : 0.1;
  const double enough = std::fmax(rough * rough * rho, 0.01 * decrement_);
  for (int k = 0; k < kMostProducts && rho > enough; ++k) {
    poll_interrupt();
    objective_.hessian_times(p, hp);
    const double curvature = sum_pieces(n, [&](size_t begin, size_t end) {
      return sum_lanes(begin, end, [&](size_t i) { return p[i] * hp[i]; });
    });
    // Not convex to rounding: the best step so far, or the gradient's.
    if (!(curvature > 0)) {
      if (k == 0) std::copy(p, p + n, d);
      return;
    }
    const double length = rho / curvature;
    const double next = sum_pieces(n, [&](size_t begin, size_t end) {
      return sum_lanes(begin, end, [&](size_t i) {
        d[i] += length * p[i];
        r[i] -= length * hp[i];
        return r[i] * r[i] * inverse[i];
      });
    });
    const double keep = next / rho;
    rho = next;
    sum_pieces(n, [&](size_t begin, size_t end) {
      for (size_t i = begin; i < end; ++i) p[i] = inverse[i] * r[i] + keep * p[i];
      return 0.0;
    });
  }
}

}  // namespace maas
