#include "maas/linear/orthogonal_solve.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "maas/base/shards.h"
#include "maas/base/thread_pool.h"
#include "maas/kernels/gemm.h"
#include "maas/kernels/orthogonal.h"
#include "maas/linear/centred_rows.h"
#include "maas/linear/cholesky.h"
#include "maas/linear/normal_equations.h"
#include "maas/linear/svd.h"
#include "maas/linear/tsqr.h"

namespace maas {
namespace {

constexpr double kEpsilon = std::numeric_limits<double>::epsilon();

// Up to here the SVD of the transposed rows' factor costs next to nothing and settles the rank.
constexpr size_t kFewRows = 64;

double alpha_of(const LeastSquaresOptions& options, size_t target) {
  return options.alpha.size() == 1 ? options.alpha[0] : options.alpha[target];
}

// How far a singular value counts: s / (s² + alpha) without its s.
double filter(double s, double largest, double alpha, double cutoff) {
  return s > cutoff * largest ? 1 / (s * s + alpha) : 0.0;
}

size_t count_rank(const std::vector<double>& singular, double cutoff) {
  return static_cast<size_t>(
      std::count_if(singular.begin(), singular.end(), [&](double s) { return s > cutoff * singular[0]; }));
}

// Never below the rounding of the factorisation itself.
double effective_cutoff(const LeastSquaresOptions& options, double alpha, size_t size) {
  return std::max(alpha > 0 ? 0.0 : options.cutoff, kEpsilon * static_cast<double>(size));
}

// w = V diag(s / (s² + alpha)) Uᵀ b for one target.
void solve_by_svd(const Svd& f, const double* b, double alpha, double cutoff, double* w) {
  const size_t d = f.columns;
  std::fill(w, w + d, 0.0);
  for (size_t k = 0; k < d; ++k) {
    const double gain = filter(f.singular[k], f.singular[0], alpha, cutoff) * f.singular[k];
    if (gain == 0) continue;
    double dot = 0;
    for (size_t i = 0; i < d; ++i) dot += f.u[k * d + i] * b[i];
    for (size_t j = 0; j < d; ++j) w[j] += gain * dot * f.v[k * d + j];
  }
}

// With the penalty as d more rows below R, the triangle solves ridge without the SVD; false when even so it
// is singular to rounding.
bool solve_penalised(const TriangularFactor& r, size_t d, size_t target, double alpha, double* w) {
  const size_t p = r.columns(), ld = padded_column(d);
  TriangularFactor penalised(p);
  penalised.absorb(r);
  AlignedBuffer<double> block(p * ld, 0.0);
  for (size_t j = 0; j < d; ++j) block[j * ld + j] = std::sqrt(alpha);
  penalised.absorb(block.data(), ld, ld);
  std::vector<double> factor(d * d);
  for (size_t i = 0; i < d; ++i) {
    std::copy(&penalised.data()[i * p], &penalised.data()[i * p] + d, &factor[i * d]);
    w[i] = penalised(i, d + target);
  }
  if (estimate_condition(factor.data(), d) * kEpsilon * 10 * static_cast<double>(d) > 1) return false;
  solve_upper(factor.data(), d, d, w, 1, 1);
  return true;
}

// z of w = Xᵀz from (X Xᵀ + alpha I) z = y by Cholesky, or false when the condition forbids it. `null` (unit
// length, or empty) is the direction that centring removed from X Xᵀ: it is given an ordinary eigenvalue,
// which changes nothing as y has no part in it. k: n × n; y: n × t; z: t × n.
bool solve_dual(AlignedBuffer<double>& k, const std::vector<double>& null, const std::vector<double>& y,
                size_t n, const LeastSquaresOptions& options, std::vector<double>& z, LeastSquaresFit& fit) {
  const size_t t = y.size() / n, groups = options.alpha.size();
  double trace = 0;
  for (size_t i = 0; i < n; ++i) trace += k[i * n + i];
  for (size_t i = 0; i < null.size(); ++i) {
    for (size_t j = i; j < n; ++j) k[i * n + j] += trace / static_cast<double>(n) * null[i] * null[j];
  }
  z.clear();
  for (size_t g = 0; g < groups; ++g) {
    const double alpha = options.alpha[g], cutoff = alpha > 0 ? 0.0 : options.cutoff;
    auto part = solve_normal_equations(k.data(), n, n, y.data() + g, t, groups == 1 ? t : 1, alpha, cutoff);
    if (!part) return false;
    z.insert(z.end(), part->coef.begin(), part->coef.end());
    fit.factor = std::move(part->factor);
  }
  // Projecting the null direction out again leaves a matrix with the singular values of X.
  for (size_t i = 0; i < null.size(); ++i) {
    double* row = fit.factor.data() + i * n;
    double dot = 0;
    for (size_t j = 0; j < n; ++j) dot += row[j] * null[j];
    for (size_t j = 0; j < n; ++j) row[j] -= dot * null[j];
  }
  fit.rank = null.empty() ? n : n - 1;
  return true;
}

// With Xᵀ = Q U S Vᵀ: w = Xᵀ z, z = V diag(1 / (s² + alpha)) Vᵀ y.
void solve_dual_by_svd(const Svd& f, const std::vector<double>& y, const LeastSquaresOptions& options,
                       std::vector<double>& z, LeastSquaresFit& fit) {
  const size_t n = f.columns, t = y.size() / n;
  z.assign(t * n, 0.0);
  for (size_t k = 0; k < t; ++k) {
    const double alpha = alpha_of(options, k);
    for (size_t s = 0; s < n; ++s) {
      const double gain = filter(f.singular[s], f.singular[0], alpha, effective_cutoff(options, alpha, n));
      if (gain == 0) continue;
      double dot = 0;
      for (size_t i = 0; i < n; ++i) dot += f.v[s * n + i] * y[i * t + k];
      for (size_t i = 0; i < n; ++i) z[k * n + i] += gain * dot * f.v[s * n + i];
    }
  }
  fit.singular = f.singular;
  fit.factor.clear();
  fit.rank = count_rank(f.singular, effective_cutoff(options, 0.0, n));
}

}  // namespace

template <class T>
LeastSquaresFit solve_tall(const RegressionRows<T>& rows, const std::vector<double>& centre,
                           const LeastSquaresOptions& options) {
  const size_t d = rows.x.cols, t = rows.y.cols;
  const TriangularFactor r = tsqr(rows.x.rows, d + t, pack_rows(rows, centre));
  LeastSquaresFit fit;
  fit.factor.resize(d * d);
  for (size_t i = 0; i < d; ++i)
    std::copy(&r.data()[i * (d + t)], &r.data()[i * (d + t) + d], &fit.factor[i * d]);
  fit.coef.resize(t * d);
  // A factor of ten covers what the estimate may miss.
  const double condition = estimate_condition(fit.factor.data(), d);
  const bool triangular = condition * 10 * effective_cutoff(options, 0.0, d) < 1;
  Svd f;  // only where a direction may have to be dropped
  std::vector<double> b(d);
  for (size_t k = 0; k < t; ++k) {
    for (size_t i = 0; i < d; ++i) b[i] = r(i, d + k);
    const double alpha = alpha_of(options, k);
    double* w = &fit.coef[k * d];
    if (alpha == 0 && triangular) {
      solve_upper(fit.factor.data(), d, d, b.data(), 1, 1);
      std::copy(b.begin(), b.end(), w);
    } else if (alpha == 0 || !solve_penalised(r, d, k, alpha, w)) {
      if (f.columns == 0) f = svd(fit.factor.data(), d);
      solve_by_svd(f, b.data(), alpha, effective_cutoff(options, alpha, d), w);
    }
  }
  fit.orthogonal = true;
  fit.rank = d;
  if (f.columns != 0) {
    fit.rank = count_rank(f.singular, effective_cutoff(options, 0.0, d));
    fit.singular = f.singular;
    fit.factor.clear();
  }
  return fit;
}

template <class T>
LeastSquaresFit solve_wide(const RegressionRows<T>& rows, const std::vector<double>& centre,
                           const LeastSquaresOptions& options) {
  const size_t n = rows.x.rows, d = rows.x.cols, t = rows.y.cols;
  const PackBlock pack = pack_transposed(rows, centre);
  std::vector<double> y(n * t), z, null(options.intercept ? n : 0);
  double total = 0;
  for (size_t i = 0; i < n; ++i) {
    const double root = root_weight(rows, i);
    total += root * root;
    if (options.intercept) null[i] = root;
    for (size_t k = 0; k < t; ++k) {
      y[i * t + k] = subtract(static_cast<double>(rows.y(i, k)), centre[d + k]) * root;
    }
  }
  for (double& v : null) v /= std::sqrt(total);
  LeastSquaresFit fit;
  bool solved = false;
  if (!options.orthogonal && n > kFewRows) {
    AlignedBuffer<double> k = dual_gram(pack, n, d);
    solved = solve_dual(k, null, y, n, options, z, fit);
  }
  if (!solved) {
    solve_dual_by_svd(svd(tsqr(d, n, pack).data(), n), y, options, z, fit);
    fit.orthogonal = true;
  }
  fit.coef.assign(t * d, 0.0);
  constexpr size_t kFeatures = 64;
  const Shards blocks{d, kFeatures};
  parallel_for(blocks.count(), [&](size_t block, int) {
    const size_t first = blocks.begin(block), m = blocks.end(block) - first, ld = panel_ld(m);
    AlignedBuffer<double> columns(n * ld);
    pack(first, m, columns.data(), ld);
    for (size_t k = 0; k < t; ++k) {
      for (size_t i = 0; i < n; ++i) {
        for (size_t j = 0; j < m; ++j) fit.coef[k * d + first + j] += columns[i * ld + j] * z[k * n + i];
      }
    }
  });
  return fit;
}

template LeastSquaresFit solve_tall(const RegressionRows<float>&, const std::vector<double>&,
                                    const LeastSquaresOptions&);
template LeastSquaresFit solve_tall(const RegressionRows<double>&, const std::vector<double>&,
                                    const LeastSquaresOptions&);
template LeastSquaresFit solve_wide(const RegressionRows<float>&, const std::vector<double>&,
                                    const LeastSquaresOptions&);
template LeastSquaresFit solve_wide(const RegressionRows<double>&, const std::vector<double>&,
                                    const LeastSquaresOptions&);

}  // namespace maas
