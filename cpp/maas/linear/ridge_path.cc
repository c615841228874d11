#include "maas/linear/ridge_path.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "maas/base/error.h"
#include "maas/base/thread_pool.h"
#include "maas/kernels/reduce.h"
#include "maas/linear/normal_equations.h"

namespace maas {
namespace {

constexpr double kEpsilon = std::numeric_limits<double>::epsilon();

// One penalty of one state; whether the condition allowed it.
bool solve(const GramState& state, const std::vector<double>& moments, double penalty, bool intercept,
           double* coef, double* offset) {
  const size_t d = state.features, t = state.targets, p = state.size();
  const auto solution = solve_normal_equations(moments.data(), p, d, moments.data() + d, p, t, penalty,
                                               penalty > 0 ? 0 : 1e-15);
  if (!solution) return false;
  std::copy(solution->coef.begin(), solution->coef.end(), coef);
  for (size_t k = 0; k < t; ++k) {
    double at_mean = 0;
    for (size_t j = 0; j < d; ++j) at_mean += coef[k * d + j] * state.mean[j];
    offset[k] = intercept ? state.mean[d + k] - at_mean : 0.0;
    if (!std::isfinite(at_mean) || !std::isfinite(offset[k])) return false;
  }
  return true;
}

}  // namespace

std::vector<RidgePath> ridge_paths(const std::vector<const GramState*>& states,
                                   const std::vector<double>& penalties, bool intercept) {
  std::vector<RidgePath> paths(states.size());
  std::vector<std::vector<double>> raw(states.size());
  const size_t count = penalties.size();
  std::vector<char> solved(states.size() * count);
  for (size_t s = 0; s < states.size(); ++s) {
    const GramState& state = *states[s];
    if (!(state.weight > 0)) throw_invalid("fit", "expected sample weights with a positive sum");
    if (!intercept) raw[s] = state.about_origin();
    paths[s].coef.assign(count * state.targets * state.features, 0.0);
    paths[s].intercept.assign(count * state.targets, 0.0);
  }
  parallel_for(states.size() * count, [&](size_t task, int) {
    const size_t s = task / count, a = task % count;
    const GramState& state = *states[s];
    const size_t t = state.targets;
    solved[task] = solve(state, intercept ? state.centred : raw[s], penalties[a], intercept,
                         &paths[s].coef[a * t * state.features], &paths[s].intercept[a * t]);
  });
  for (size_t s = 0; s < states.size(); ++s) {
    const auto first = solved.begin() + static_cast<ptrdiff_t>(s * count);
    paths[s].solved.assign(first, first + static_cast<ptrdiff_t>(count));
  }
  return paths;
}

MomentErrors moment_errors(const GramState& state, const double* coef, const double* intercept,
                           size_t models) {
  const size_t d = state.features, t = state.targets, p = state.size();
  MomentErrors out;
  const double* moments = state.centred.data();
  for (size_t row = 0; row < models * t; ++row) {
    const size_t k = row % t;
    const double* w = coef + row * d;
    double mean = state.mean[d + k] - intercept[row], quadratic = 0, cross = 0, size = 0;
    for (size_t i = 0; i < d; ++i) {
      mean -= w[i] * state.mean[i];
      const double product = reduce(Reduction::kDot, d, moments + i * p, w);
      quadratic += w[i] * product;
      cross += w[i] * moments[i * p + d + k];
      size += std::fabs(w[i]) * std::sqrt(moments[i * p + i]);
    }
    const double total = moments[(d + k) * p + d + k];
    // |Σ w_i w_j S_ij| is at most (Σ |w_i| √S_ii)²: each term may be off by some roundings of that.
    const double largest = size + std::sqrt(total);
    out.squared.push_back(std::max(0.0, total - 2 * cross + quadratic) + state.weight * mean * mean);
    out.mean.push_back(mean);
    out.rounding.push_back(8 * kEpsilon * largest * largest);
  }
  return out;
}

}  // namespace maas
