#include "maas/linear/normal_equations.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "maas/kernels/elementwise.h"
#include "maas/kernels/reduce.h"
#include "maas/linear/cholesky.h"

namespace maas {
namespace {

constexpr int kPowerSteps = 8;  // brings the estimate within a small factor of the truth
// Enough for a direction the start holds by rounding alone to show when its eigenvalue is 1e-8 of the others.
constexpr int kLeastSteps = 3;
constexpr double kSettled = 1.05;  // growth in one step below which more steps tell nothing

double normalise(std::vector<double>& x) {
  double sum = 0;
  for (const double v : x) sum += v * v;
  const double norm = std::sqrt(sum);
  for (double& v : x) v /= norm;
  return norm;
}

std::vector<double> start_vector(size_t d) {
  std::vector<double> x(d);
  for (size_t j = 0; j < d; ++j)
    x[j] = (j % 2 ? -1.0 : 1.0) * (1.0 + static_cast<double>(j) / static_cast<double>(d));
  normalise(x);
  return x;
}

// x <- RᵀR x, each row of R read once.
void multiply(const double* r, size_t d, std::vector<double>& x) {
  std::vector<double> out(d, 0.0);
  for (size_t i = 0; i < d; ++i) {
    const double* row = r + i * d + i;
    const double product = reduce(Reduction::kDot, d - i, row, &x[i]);
    map_arrays(MapOp::kAxpy, d - i, row, &out[i], &out[i], product);
  }
  x = std::move(out);
}

}  // namespace

double estimate_condition(const double* factor, size_t d) {
  double largest = 0, inverse = 0;
  std::vector<double> x = start_vector(d), z = x;
  for (size_t j = 0; j < d; ++j) {
    if (factor[j * d + j] == 0) return std::numeric_limits<double>::infinity();
  }
  for (int k = 0; k < kPowerSteps; ++k) {
    const double largest_before = largest, inverse_before = inverse;
    multiply(factor, d, x);
    largest = normalise(x);
    cholesky_solve(factor, d, d, z.data(), 1, 1);
    inverse = normalise(z);
    const bool settled = largest < kSettled * largest_before && inverse < kSettled * inverse_before;
    if (settled && k + 1 >= kLeastSteps) break;
  }
  const double condition = std::sqrt(largest) * std::sqrt(inverse);
  return std::isfinite(condition) ? condition : std::numeric_limits<double>::infinity();
}

std::optional<NormalSolution> solve_normal_equations(const double* gram, size_t ld, size_t d,
                                                     const double* rhs, size_t rhs_ld, size_t t, double alpha,
                                                     double cutoff) {
  // Scaled to a unit diagonal, columns of unlike units cost no accuracy (van der Sluis 1969).
  std::vector<double> scale(d), r(d * d);
  for (size_t j = 0; j < d; ++j) {
    const double diagonal = gram[j * ld + j] + alpha;
    if (!(diagonal > 0) || !std::isfinite(diagonal)) return std::nullopt;
    scale[j] = std::sqrt(diagonal);
  }
  for (size_t i = 0; i < d; ++i) {
    for (size_t j = i; j < d; ++j) r[i * d + j] = gram[i * ld + j] / scale[i] / scale[j];
    r[i * d + i] = 1;
  }
  if (cholesky(r.data(), d, d) < d) return std::nullopt;
  const double scaled_condition = estimate_condition(r.data(), d);
  if (scaled_condition > kGramCondition) return std::nullopt;
  for (size_t i = 0; i < d; ++i) {
    std::fill(r.begin() + static_cast<ptrdiff_t>(i * d), r.begin() + static_cast<ptrdiff_t>(i * d + i), 0.0);
    for (size_t j = i; j < d; ++j) r[i * d + j] *= scale[j];
  }
  // A factor of ten covers what the estimate may miss; the singular values themselves decide then. Scaling
  // the columns changes the condition by no more than the scales differ, so mostly nothing is left to
  // estimate.
  const auto [least, most] = std::minmax_element(scale.begin(), scale.end());
  const double bound = scaled_condition * (*most / *least);
  if (bound * 10 * cutoff > 1 && estimate_condition(r.data(), d) * 10 * cutoff > 1) return std::nullopt;
  NormalSolution out{std::vector<double>(t * d), std::move(r)};
  std::vector<double> w(d * t);
  for (size_t j = 0; j < d; ++j) std::copy(rhs + j * rhs_ld, rhs + j * rhs_ld + t, &w[j * t]);
  cholesky_solve(out.factor.data(), d, d, w.data(), t, t);
  for (size_t k = 0; k < t; ++k) {
    for (size_t j = 0; j < d; ++j) out.coef[k * d + j] = w[j * t + k];
  }
  return out;
}

}  // namespace maas
