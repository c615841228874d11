#include "maas/linear/leave_one_out_wide.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "maas/base/interrupt.h"
#include "maas/linear/centred_rows.h"
#include "maas/linear/cholesky.h"
#include "maas/linear/normal_equations.h"
#include "maas/linear/svd.h"

namespace maas {
namespace {

constexpr size_t kSpectralRows = 256;  // up to here one SVD is cheaper than a factorisation a penalty

// The rows' side of the problem: K = X Xᵀ of centred rows times √w, whose inverse with a penalty gives the
// residuals. With an intercept centring has taken the direction √w out of K; left alone it would have the
// smallest eigenvalue of all, and the inverse little else.
struct Dual {
  size_t n, t;
  std::vector<double> y;     // n × t, centred, times √w
  std::vector<double> null;  // √w of unit length, or empty
};

// z = (K + penalty)⁻¹ y, n × t, and the diagonal of the inverse without its part along `null`.
struct Solution {
  std::vector<double> z;
  std::vector<double> diagonal;
};

// With Xᵀ = Q U S Vᵀ, K = V S² Vᵀ.
Solution solve_spectral(const Dual& dual, const Svd& f, double penalty) {
  const size_t n = dual.n, t = dual.t;
  Solution out{std::vector<double>(n * t, 0.0), std::vector<double>(n, 0.0)};
  for (size_t k = 0; k < n; ++k) {
    const double gain = 1 / (f.singular[k] * f.singular[k] + penalty);
    const double* v = &f.v[k * n];
    double along = 0;
    for (size_t i = 0; i < dual.null.size(); ++i) along += v[i] * dual.null[i];
    for (size_t i = 0; i < n; ++i) {
      const double rest = v[i] - (dual.null.empty() ? 0.0 : along * dual.null[i]);
      out.diagonal[i] += gain * rest * rest;
    }
    for (size_t target = 0; target < t; ++target) {
      double product = 0;
      for (size_t i = 0; i < n; ++i) product += v[i] * dual.y[i * t + target];
      for (size_t i = 0; i < n; ++i) out.z[i * t + target] += gain * product * v[i];
    }
  }
  return out;
}

// By Cholesky; `k` has an ordinary eigenvalue `stand_in` along `null`. Nothing when the condition forbids it.
std::optional<Solution> solve_cholesky(const Dual& dual, const AlignedBuffer<double>& k, double stand_in,
                                       double penalty) {
  const size_t n = dual.n, t = dual.t;
  const auto solution = solve_normal_equations(k.data(), n, n, dual.y.data(), t, t, penalty, 0.0);
  if (!solution) return std::nullopt;
  std::vector<double> inverse(n * n, 0.0);
  for (size_t i = 0; i < n; ++i) inverse[i * n + i] = 1;
  solve_upper(solution->factor.data(), n, n, inverse.data(), n, n);
  Solution out{std::vector<double>(n * t), std::vector<double>(n, 0.0)};
  for (size_t i = 0; i < n; ++i) {
    for (size_t j = i; j < n; ++j) out.diagonal[i] += inverse[i * n + j] * inverse[i * n + j];
    if (!dual.null.empty()) out.diagonal[i] -= dual.null[i] * dual.null[i] / (stand_in + penalty);
    for (size_t target = 0; target < t; ++target) out.z[i * t + target] = solution->coef[target * n + i];
  }
  return out;
}

template <class T>
Dual make_dual(const RegressionRows<T>& rows, const std::vector<double>& mean, bool intercept) {
  const size_t n = rows.x.rows, d = rows.x.cols, t = rows.y.cols;
  Dual dual{n, t, std::vector<double>(n * t), std::vector<double>(intercept ? n : 0)};
  double total = 0;
  for (size_t i = 0; i < n; ++i) {
    const double root = root_weight(rows, i);
    total += root * root;
    if (intercept) dual.null[i] = root;
    for (size_t k = 0; k < t; ++k) {
      const auto value = static_cast<double>(rows.y(i, k));
      if (!std::isfinite(value)) throw NotFinite("Input y");
      dual.y[i * t + k] = subtract(value, mean[d + k]) * root;
    }
  }
  for (double& v : dual.null) v /= std::sqrt(total);
  return dual;
}

}  // namespace

template <class T>
LeaveOneOut leave_one_out_wide(const RegressionRows<T>& rows, const std::vector<double>& mean,
                               const LeaveOneOutOptions& options) {
  const size_t n = rows.x.rows, d = rows.x.cols, t = rows.y.cols, count = options.penalties.size();
  const PackBlock pack = pack_transposed(rows, mean);
  const Dual dual = make_dual(rows, mean, options.intercept);
  AlignedBuffer<double> k;
  double stand_in = 0;
  if (!options.orthogonal && n > kSpectralRows) {
    k = dual_gram(pack, n, d);
    for (size_t i = 0; i < n; ++i) stand_in += k[i * n + i] / static_cast<double>(n);
    for (size_t i = 0; i < dual.null.size(); ++i) {
      for (size_t j = i; j < n; ++j) k[i * n + j] += stand_in * dual.null[i] * dual.null[j];
    }
  }
  Svd f;
  LeaveOneOut out;
  out.squared.assign(count * t, 0.0);
  if (options.store) out.residuals.resize(n * t * count);
  for (size_t a = 0; a < count; ++a) {
    poll_interrupt();
    std::optional<Solution> solution;
    if (k.size() != 0) solution = solve_cholesky(dual, k, stand_in, options.penalties[a]);
    if (!solution) {
      if (f.columns == 0) f = svd(tsqr(d, n, pack).data(), n);
      solution = solve_spectral(dual, f, options.penalties[a]);
    }
    for (size_t i = 0; i < n; ++i) {
      const double root = root_weight(rows, i);
      for (size_t target = 0; target < t; ++target) {
        const double scaled = solution->z[i * t + target] / solution->diagonal[i];
        if (root != 0) out.squared[a * t + target] += scaled * scaled;
        if (options.store) out.residuals[(i * t + target) * count + a] = scaled / root;
      }
    }
  }
  return out;
}

template LeaveOneOut leave_one_out_wide(const RegressionRows<float>&, const std::vector<double>&,
                                        const LeaveOneOutOptions&);
template LeaveOneOut leave_one_out_wide(const RegressionRows<double>&, const std::vector<double>&,
                                        const LeaveOneOutOptions&);

}  // namespace maas
