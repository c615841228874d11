#include "maas/linear/sparse_least_squares.h"

#include <algorithm>
#include <cmath>
#include <optional>

#include "maas/base/error.h"
#include "maas/linear/conjugate_gradients.h"
#include "maas/linear/normal_equations.h"
#include "maas/linear/sparse_objective.h"
#include "maas/linear/vector_math.h"

namespace maas {
namespace {

// One target: the quadratic in w alone, b always being the best for w. Works on theta = (w, b), with b =
// -mean . w for a direction, so that rows are centred before they are multiplied.
template <class T>
class Target {
 public:
  Target(const CsrView<T>& x, const VectorView<double>& y, const VectorView<double>& weight, bool intercept)
      : cols_(x.cols),
        intercept_(intercept),
        objective_({x, y, weight}, {Loss::kSquared, 1, intercept}, 0.0),
        mean_(x.cols, 0.0),
        theta_(objective_.size(), 0.0),
        out_(objective_.size()) {
    if (!(objective_.total_weight() > 0)) {
      throw_invalid("fit", "expected sample weights with a sum above zero");
    }
    objective_.value_and_gradient(theta_.data(), out_.data());  // sets the curvature: the weights
    if (!intercept) return;
    y_mean_ = -out_[cols_];
    theta_[cols_] = 1;
    objective_.hessian_times(theta_.data(), out_.data());
    std::copy_n(out_.begin(), cols_, mean_.begin());
  }

  SparseObjective<T>& objective() { return objective_; }
  double total_weight() const { return objective_.total_weight(); }
  double intercept_of(const double* w) const {
    return intercept_ ? y_mean_ - dot(mean_.data(), w, cols_) : 0.0;
  }

  // Minus the gradient at w, penalty included: what is left of the right side.
  void residual(const double* w, double alpha, double* r) {
    std::copy_n(w, cols_, theta_.begin());
    if (intercept_) theta_[cols_] = intercept_of(w);
    objective_.value_and_gradient(theta_.data(), out_.data());
    for (size_t j = 0; j < cols_; ++j) r[j] = -out_[j] - alpha * w[j];
  }
  void apply(const double* v, double alpha, double* out) {
    std::copy_n(v, cols_, theta_.begin());
    if (intercept_) theta_[cols_] = -dot(mean_.data(), v, cols_);
    objective_.hessian_times(theta_.data(), out_.data());
    for (size_t j = 0; j < cols_; ++j) out[j] = out_[j] + alpha * v[j];
  }
  // Of the centred columns.
  void diagonal(double alpha, double* out) {
    objective_.hessian_diagonal(out_.data());
    for (size_t j = 0; j < cols_; ++j) out[j] = out_[j] - mean_[j] * mean_[j] + alpha;
  }
  // The centred products, cols x cols, or nothing where centring would cost more than half of the digits.
  std::optional<std::vector<double>> gram() {
    const size_t n = objective_.size();
    std::vector<double> whole(n * n), gram(cols_ * cols_);
    objective_.hessian(theta_.data(), whole.data());
    for (size_t i = 0; i < cols_; ++i) {
      const double raw = whole[i * n + i];
      if (raw - mean_[i] * mean_[i] < 1e-6 * raw) return std::nullopt;
      for (size_t j = 0; j < cols_; ++j) gram[i * cols_ + j] = whole[i * n + j] - mean_[i] * mean_[j];
    }
    return gram;
  }

 private:
  size_t cols_;
  bool intercept_;
  SparseObjective<T> objective_;
  std::vector<double> mean_;
  double y_mean_ = 0;
  std::vector<double> theta_, out_;
};

// Penalised: preconditioned, the minimum being unique. Else from zero and without, for the least norm.
// Several rounds, each from the true residual, so that the rounding of the last is undone.
template <class T>
bool iterate(Target<T>& target, double alpha, size_t most, double* w, size_t d, size_t& iterations) {
  const double least =
      alpha > 0 ? 1e-22 : 1e-19;  // without a penalty rounding could run off where H is singular
  CgVectors vectors(d);
  if (alpha > 0) {
    target.diagonal(alpha, vectors.inverse_diagonal.data());
    for (double& v : vectors.inverse_diagonal) v = v > 0 ? 1 / v : 1 / alpha;
  }
  std::vector<double> step(d);
  std::fill_n(w, d, 0.0);
  double fallen = 0;
  iterations = 0;
  for (int round = 0; round < 6 && iterations < most; ++round) {
    target.residual(w, alpha, vectors.residual.data());
    const CgResult result = conjugate_gradients(
        [&](const double* v, double* out) { target.apply(v, alpha, out); }, vectors,
        {.products = most - iterations, .relative = 1e-28, .energy = least, .fallen = fallen}, step.data());
    iterations += result.products;
    add_scaled(1.0, step.data(), w, d);
    fallen += result.fall;
    if (result.fall <= least * fallen) return true;
  }
  return iterations < most;
}

double alpha_of(const SparseLeastSquaresOptions& options, size_t target) {
  return options.alpha[options.alpha.size() == 1 ? 0 : target];
}

// Few columns: the weights from the centred products, if their condition allows it.
template <class T>
bool solve_directly(Target<T>& target, const std::optional<std::vector<double>>& gram, double alpha,
                    double cutoff, double* w, size_t d) {
  if (!gram) return false;
  std::vector<double> right(d);
  std::fill_n(w, d, 0.0);
  target.residual(w, 0.0, right.data());
  const auto solution = solve_normal_equations(gram->data(), d, d, right.data(), 1, 1,
                                               alpha / target.total_weight(), alpha > 0 ? 0.0 : cutoff);
  if (solution) std::copy(solution->coef.begin(), solution->coef.end(), w);
  return solution.has_value();
}

}  // namespace

template <class T>
SparseLeastSquaresFit fit_sparse_least_squares(const CsrView<T>& x, const MatrixView<double>& y,
                                               const VectorView<double>& weight,
                                               const SparseLeastSquaresOptions& options) {
  constexpr size_t kFewColumns = 512;
  const size_t d = x.cols, t = y.cols;
  const size_t most = options.max_iterations > 0 ? options.max_iterations : 20 * std::min(x.rows, d) + 100;
  SparseLeastSquaresFit fit;
  fit.coef.resize(t * d);
  fit.direct = d <= kFewColumns && d <= x.rows;
  std::optional<std::vector<double>> gram;
  for (size_t k = 0; k < t; ++k) {
    Target<T> target(x, {y.at(0, k), y.rows, y.row_stride}, weight, options.intercept);
    double* const w = fit.coef.data() + k * d;
    const double alpha = alpha_of(options, k);
    if (fit.direct && k == 0) gram = target.gram();
    fit.direct = fit.direct && solve_directly(target, gram, alpha, options.cutoff, w, d);
    if (!fit.direct) {
      size_t iterations = 0;
      fit.converged &= iterate(target, alpha / target.total_weight(), most, w, d, iterations);
      fit.iterations = std::max(fit.iterations, iterations);
    }
    fit.intercept.push_back(target.intercept_of(w));
  }
  return fit;
}

template SparseLeastSquaresFit fit_sparse_least_squares(const CsrView<float>&, const MatrixView<double>&,
                                                        const VectorView<double>&,
                                                        const SparseLeastSquaresOptions&);
template SparseLeastSquaresFit fit_sparse_least_squares(const CsrView<double>&, const MatrixView<double>&,
                                                        const VectorView<double>&,
                                                        const SparseLeastSquaresOptions&);

}  // namespace maas
