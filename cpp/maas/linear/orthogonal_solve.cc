#include "maas/linear/orthogonal_solve.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "maas/base/shards.h"
#include "maas/base/thread_pool.h"
#include "maas/linear/cholesky.h"
#include "maas/linear/normal_equations.h"
#include "maas/linear/svd.h"
#include "maas/linear/tsqr.h"

namespace maas {
namespace {

constexpr double kEpsilon = std::numeric_limits<double>::epsilon();

double alpha_of(const LeastSquaresOptions& options, size_t target) {
  return options.alpha.size() == 1 ? options.alpha[0] : options.alpha[target];
}

// x - centre, with what is only the rounding of the mean flushed to zero: a constant column vanishes exactly.
double subtract(double x, double centre) {
  const double v = x - centre;
  return std::fabs(v) <= 8 * kEpsilon * std::fabs(centre) ? 0.0 : v;
}

template <class T>
double root_weight(const RegressionRows<T>& rows, size_t i) {
  return rows.weights ? std::sqrt(rows.weights[i]) : 1.0;
}

// Rows of [X | y], centred and times √w.
template <class T>
PackBlock pack_rows(const RegressionRows<T>& rows, const std::vector<double>& centre) {
  return [&rows, &centre](size_t first, size_t n, double* block, size_t ld) {
    const RowPanels<T, double> panels(rows, std::vector<double>(centre.size(), 0.0));
    panels.pack(0, centre.size(), first, n, block, ld);
    for (size_t j = 0; j < centre.size(); ++j) {
      for (size_t i = 0; i < n; ++i) {
        block[j * ld + i] = subtract(block[j * ld + i], centre[j]) * root_weight(rows, first + i);
      }
    }
  };
}

// Rows are features, columns samples: the transpose of the centred, weighted X.
template <class T>
PackBlock pack_transposed(const RegressionRows<T>& rows, const std::vector<double>& centre) {
  return [&rows, &centre](size_t first, size_t n, double* block, size_t ld) {
    const double* none = nullptr;
    if (!pack_panel(rows.x.transposed(), first, n, none, block, ld)) throw NotFinite("Input X");
    for (size_t i = 0; i < rows.x.rows; ++i) {
      const double root = root_weight(rows, i);
      for (size_t j = 0; j < n; ++j)
        block[i * ld + j] = subtract(block[i * ld + j], centre[first + j]) * root;
    }
  };
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
  const bool ordinary =
      std::all_of(options.alpha.begin(), options.alpha.end(), [](double a) { return a == 0; });
  const Svd f = triangular && ordinary ? Svd{} : svd(fit.factor.data(), d);
  std::vector<double> b(d);
  for (size_t k = 0; k < t; ++k) {
    for (size_t i = 0; i < d; ++i) b[i] = r(i, d + k);
    const double alpha = alpha_of(options, k);
    if (f.columns == 0) {
      solve_upper(fit.factor.data(), d, d, b.data(), 1, 1);
      std::copy(b.begin(), b.end(), &fit.coef[k * d]);
    } else {
      solve_by_svd(f, b.data(), alpha, effective_cutoff(options, alpha, d), &fit.coef[k * d]);
    }
  }
  fit.rank = f.columns == 0 ? d : count_rank(f.singular, effective_cutoff(options, 0.0, d));
  if (f.columns != 0) {
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
  const Svd f = svd(tsqr(d, n, pack).data(), n);
  // With Xᵀ = Q U S Vᵀ: w = Xᵀ z, z = V diag(1 / (s² + alpha)) Vᵀ y.
  std::vector<double> z(t * n, 0.0);
  for (size_t k = 0; k < t; ++k) {
    const double alpha = alpha_of(options, k);
    for (size_t s = 0; s < n; ++s) {
      const double gain = filter(f.singular[s], f.singular[0], alpha, effective_cutoff(options, alpha, n));
      if (gain == 0) continue;
      double dot = 0;
      for (size_t i = 0; i < n; ++i) {
        dot += f.v[s * n + i] * subtract(static_cast<double>(rows.y(i, k)), centre[d + k]) *
               root_weight(rows, i);
      }
      for (size_t i = 0; i < n; ++i) z[k * n + i] += gain * dot * f.v[s * n + i];
    }
  }
  LeastSquaresFit fit;
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
  fit.singular = f.singular;
  fit.rank = count_rank(f.singular, effective_cutoff(options, 0.0, n));
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
