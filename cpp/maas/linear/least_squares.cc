#include "maas/linear/least_squares.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <type_traits>

#include "maas/base/error.h"
#include "maas/linear/cholesky.h"
#include "maas/linear/gram_state.h"
#include "maas/linear/normal_equations.h"
#include "maas/linear/orthogonal_solve.h"
#include "maas/linear/residual_pass.h"
#include "maas/linear/svd.h"

namespace maas {
namespace {

constexpr double kEpsilon = std::numeric_limits<double>::epsilon();

bool all_zero(const std::vector<double>& alpha) {
  return std::all_of(alpha.begin(), alpha.end(), [](double a) { return a == 0; });
}

// Columns that hold one value but for rounding have no slope: the orthogonal way drops them exactly.
bool has_constant_column(const GramState& state) {
  for (size_t j = 0; j < state.features; ++j) {
    const double noise = 8 * kEpsilon * std::fabs(state.mean[j]);
    if (!(state.centred[j * state.size() + j] > state.weight * noise * noise)) return true;
  }
  return false;
}

// The normal equations for every target, or nothing when one of them is too ill-conditioned.
std::optional<LeastSquaresFit> solve_gram(const GramState& state, const LeastSquaresOptions& options) {
  const bool ordinary = all_zero(options.alpha);
  if (ordinary && options.intercept && has_constant_column(state)) return std::nullopt;
  const std::vector<double> raw = options.intercept ? std::vector<double>() : state.about_origin();
  const std::vector<double>& moments = options.intercept ? state.centred : raw;
  const size_t d = state.features, t = state.targets, p = state.size();
  LeastSquaresFit fit;
  fit.rank = d;
  const size_t groups = options.alpha.size();  // targets that share a factor
  for (size_t k = 0; k < groups; ++k) {
    auto part = solve_normal_equations(moments.data(), p, d, moments.data() + d + k, p, groups == 1 ? t : 1,
                                       options.alpha[k], ordinary ? options.cutoff : 0.0);
    if (!part) return std::nullopt;
    fit.coef.insert(fit.coef.end(), part->coef.begin(), part->coef.end());
    fit.factor = std::move(part->factor);
  }
  return fit;
}

// One step of iterative refinement. The error left is about the square of the relative step, so a step above
// 1e-4 means that the float32 sums were too coarse for this condition: false.
template <class T>
bool refine(const RegressionRows<T>& rows, const LeastSquaresOptions& options, GramState& state,
            LeastSquaresFit& fit) {
  const size_t d = rows.x.cols, t = rows.y.cols;
  std::vector<double> step = residual_products(rows, fit.coef, options.intercept, state);
  for (size_t k = 0; k < t * d; ++k) step[k] -= options.alpha[0] * fit.coef[k];
  for (size_t k = 0; k < t; ++k) {
    double* part = step.data() + k * d;
    cholesky_solve(fit.factor.data(), d, d, part, 1, 1);
    double moved = 0, size = 0;
    for (size_t j = 0; j < d; ++j) {
      double& w = fit.coef[k * d + j];
      w += part[j];
      moved = std::max(moved, std::fabs(part[j]));
      size = std::max(size, std::fabs(w));
    }
    if (!(moved <= 1e-4 * size)) return false;
  }
  return true;
}

// Wide float32 rows: products in float at twice the rate, then one step in double restores the accuracy.
std::optional<LeastSquaresFit> solve_in_float(const RegressionRows<float>& rows,
                                              const LeastSquaresOptions& options, GramState& state) {
  if (options.alpha.size() > 1 || rows.x.cols < kFloatGramFeatures) return std::nullopt;
  state = gram_state(rows, GramSums::kAuto);
  auto fit = solve_gram(state, options);
  if (!fit || !refine(rows, options, state, *fit)) return std::nullopt;
  return fit;
}

void set_intercept(const std::vector<double>& mean, size_t d, bool intercept, LeastSquaresFit& fit) {
  const size_t t = mean.size() - d;
  fit.intercept.assign(t, 0.0);
  for (size_t k = 0; k < t; ++k) {
    double dot = 0;
    for (size_t j = 0; j < d; ++j) dot += fit.coef[k * d + j] * mean[j];
    if (intercept) fit.intercept[k] = mean[d + k] - dot;
    if (!std::isfinite(dot) || !std::isfinite(fit.intercept[k])) {
      throw_invalid("fit", "expected values whose products fit a float64, got an overflow: scale the data");
    }
  }
}

// A column may count for nothing because it is constant or a sum of others, not because its squares
// underflow.
template <class T>
void refuse_underflow(const MatrixView<T>& x) {
  constexpr double kLeast = 1e-146;  // its square still has all its digits
  for (size_t j = 0; j < x.cols; ++j) {
    double peak = 0;
    for (size_t i = 0; i < x.rows; ++i) peak = std::max(peak, std::fabs(static_cast<double>(x(i, j))));
    if (peak > 0 && peak < kLeast) {
      throw_invalid("fit", "expected values whose squares fit a float64, got an underflow: scale the data");
    }
  }
}

// Minimum norm from the eigenvectors of the Gram matrix. Eigenvalues below its rounding are zero, and so is a
// penalty below them.
LeastSquaresFit solve_spectral(const GramState& state, const LeastSquaresOptions& options) {
  const size_t d = state.features, t = state.targets, p = state.size();
  const std::vector<double> moments = options.intercept ? state.centred : state.about_origin();
  std::vector<double> gram(d * d);
  for (size_t i = 0; i < d; ++i) std::copy(&moments[i * p], &moments[i * p] + d, &gram[i * d]);
  const Svd f = svd(gram.data(), d);
  LeastSquaresFit fit;
  fit.orthogonal = true;
  fit.coef.assign(t * d, 0.0);
  const bool ordinary = all_zero(options.alpha);
  const double largest = d == 0 ? 0.0 : f.singular[0];
  const double noise = kEpsilon * static_cast<double>(10 * d) * largest;
  const double cut = std::max(noise, ordinary ? options.cutoff * options.cutoff * largest : 0.0);
  for (size_t k = 0; k < d; ++k) {
    fit.singular.push_back(f.singular[k] > noise ? std::sqrt(f.singular[k]) : 0.0);
    if (f.singular[k] > cut) ++fit.rank;
    for (size_t target = 0; target < t; ++target) {
      const double alpha = options.alpha[options.alpha.size() == 1 ? 0 : target];
      if (f.singular[k] <= cut && alpha <= cut) continue;
      double along = 0;
      for (size_t j = 0; j < d; ++j) along += f.v[k * d + j] * moments[j * p + d + target];
      const double gain = along / (f.singular[k] + alpha);
      for (size_t j = 0; j < d; ++j) fit.coef[target * d + j] += gain * f.v[k * d + j];
    }
  }
  return fit;
}

}  // namespace

LeastSquaresFit fit_moments(const GramState& state, const LeastSquaresOptions& options) {
  std::optional<LeastSquaresFit> fit;
  if (!options.orthogonal) fit = solve_gram(state, options);
  if (!fit) fit = solve_spectral(state, options);
  set_intercept(state.mean, state.features, options.intercept, *fit);
  if (!all_zero(options.alpha)) fit->factor.clear();  // its spectrum is not that of X
  return std::move(*fit);
}

template <class T>
LeastSquaresFit fit_least_squares(const RegressionRows<T>& rows, const LeastSquaresOptions& options) {
  const size_t d = rows.x.cols;
  std::optional<LeastSquaresFit> fit;
  GramState state;
  if (options.orthogonal || rows.x.rows < d) {
    state = mean_state(rows);
  } else {
    if constexpr (std::is_same_v<T, float>) fit = solve_in_float(rows, options, state);
    if (!fit) {
      state = gram_state(rows);
      fit = solve_gram(state, options);
    }
  }
  if (!fit) {
    std::vector<double> centre = state.mean;
    if (!options.intercept) std::fill(centre.begin(), centre.end(), 0.0);
    fit = rows.x.rows < d ? solve_wide(rows, centre, options) : solve_tall(rows, centre, options);
    if (all_zero(options.alpha) && fit->rank < std::min(d, rows.x.rows)) refuse_underflow(rows.x);
  }
  set_intercept(state.mean, d, options.intercept, *fit);
  if (!all_zero(options.alpha)) fit->factor.clear();  // its spectrum is not that of X
  return std::move(*fit);
}

template LeastSquaresFit fit_least_squares(const RegressionRows<float>&, const LeastSquaresOptions&);
template LeastSquaresFit fit_least_squares(const RegressionRows<double>&, const LeastSquaresOptions&);

}  // namespace maas
