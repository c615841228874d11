#include "maas/linear/working_set_fit.h"

#include <algorithm>
#include <cmath>
#include <string>
#include <utility>

#include "maas/base/error.h"
#include "maas/base/interrupt.h"
#include "maas/kernels/scalar_math.h"
#include "maas/linear/column_newton.h"
#include "maas/linear/column_products.h"
#include "maas/linear/vector_math.h"

namespace maas {
namespace {

struct Targets {
  const std::vector<double>& y;
  const std::vector<double>& weight;

  double weight_of(size_t i) const { return weight.empty() ? 1.0 : weight[i]; }
  double total() const {
    double sum = 0;
    for (size_t i = 0; i < y.size(); ++i) sum += weight_of(i);
    return sum;
  }
};

template <class T>
T value_of(const CsrView<T>&);
template <class T>
T value_of(const MatrixView<T>&);

template <class X, bool kSoftmax>
class WorkingSetFit {
  using T = decltype(value_of(std::declval<const X&>()));

 public:
  WorkingSetFit(const X& x, const Targets& targets, const FitOptions& options)
      : x_(x),
        options_(options),
        outputs_(options.shape.outputs),
        own_column_(options.shape.intercept && (kSoftmax || options.intercept_l1 > 0)),
        total_(targets.total()),
        rows_(x.rows, outputs_, targets.y.data(), targets.weight.empty() ? nullptr : targets.weight.data()),
        newton_(rows_, options.shape.intercept && !own_column_),
        taken_(x.cols, 0),
        w_(outputs_ * x.cols, 0.0),
        intercept_(outputs_, 0.0) {
    if (!std::isfinite(total_)) throw NotFinite("sample_weight");
    if (!(total_ > 0)) throw_invalid("fit", "expected sample weights with a sum above zero");
    if (own_column_) {
      columns_.append_ones(x.rows);
      take(x.cols, options.intercept_l1, 0);
    }
  }

  FitResult run(const Targets& targets, const std::vector<double>& start) {
    if (!start.empty()) {
      warm_start(start);
    } else if (options_.shape.intercept && options_.intercept_l1 == 0) {
      start_at_priors(targets);
    }
    for (size_t k = 0; k < outputs_; ++k) {
      row_margins(x_, w_.data() + k * x_.cols, intercept_[k], rows_.margins(k));
    }
    FitResult result;
    solve(result);
    if (kSoftmax) centre(intercept_);
    result.coef = w_;
    result.intercept = intercept_;
    return result;
  }

 private:
  // The intercepts that fit best alone: they stay where the penalty lets no weight in.
  void start_at_priors(const Targets& targets) {
    std::vector<double> mass(std::max<size_t>(2, outputs_), 0.0);
    for (size_t i = 0; i < x_.rows; ++i) {
      const double y = targets.y[i];
      if (!(y >= 0 && y < static_cast<double>(mass.size()))) throw_invalid("fit", "expected class indices");
      mass[static_cast<size_t>(y)] += targets.weight_of(i);
    }
    for (double& m : mass) m = scalar_log(std::fmax(m / total_, 1e-12));
    centre(mass);
    if (kSoftmax) {
      intercept_ = mass;
    } else {
      intercept_[0] = mass[1] - mass[0];
    }
  }

  void warm_start(const std::vector<double>& start) {
    if (start.size() != outputs_ * (x_.cols + 1)) {
      throw_invalid("fit", "expected a start of " + std::to_string(outputs_ * (x_.cols + 1)) +
                               " weights, got " + std::to_string(start.size()));
    }
    const auto end_of_weights = start.begin() + static_cast<ptrdiff_t>(w_.size());
    std::copy(start.begin(), end_of_weights, w_.begin());
    if (options_.shape.intercept) std::copy(end_of_weights, start.end(), intercept_.begin());
  }

  void take(size_t column, double l1, double l2) {
    column_of_.push_back(column);
    penalties_.l1.push_back(l1);
    penalties_.l2.push_back(l2);
  }

  void solve(FitResult& result) {
    const double square = options_.tolerance * options_.tolerance;
    const double target = square * square * total_;
    // The first set is a guess, whose solution need not be better than that.
    const double rough = std::fmax(target, 1e-5 * total_);
    rows_.evaluate();
    std::vector<double> products(w_.size());
    bool first = true, solved = false;
    while (true) {
      std::vector<const double*> residual(outputs_);
      for (size_t k = 0; k < outputs_; ++k) residual[k] = rows_.residual(k);
      column_products(x_, residual, products.data());
      poll_interrupt();
      const bool grown = grow(products, first ? 0.7 : 0.9);
      if (!grown && solved) return;
      solved = !(first && grown);
      minimise_set(solved ? target : rough, result);
      if (result.status != SolveStatus::kConverged) return;
      first = false;
    }
  }

  // Takes the columns that can lower the objective, and those whose gradient is `near` l1; returns whether
  // there were any of the former.
  bool grow(const std::vector<double>& products, double near) {
    constexpr double kRounding = 1e-10;
    bool any = false;
    std::vector<int32_t> added;
    for (size_t j = 0; j < x_.cols; ++j) {
      if (taken_[j] != 0) continue;
      double largest = 0;
      bool used = false;
      for (size_t at = j; at < products.size(); at += x_.cols) {
        if (!std::isfinite(products[at])) throw NotFinite("X");
        largest = std::fmax(largest, std::fabs(products[at]));
        used = used || w_[at] != 0;
      }
      any = any || used || largest > options_.l1 * (1 + kRounding);
      if (used || largest > options_.l1 * near) added.push_back(static_cast<int32_t>(j));
    }
    if (!any) return false;
    columns_.append(x_, added);
    for (const int32_t j : added) {
      taken_[static_cast<size_t>(j)] = 1;
      take(static_cast<size_t>(j), options_.l1, options_.l2);
    }
    return true;
  }

  // Newton's method on the working set, from and to w_ and intercept_.
  void minimise_set(double decrement, FitResult& result) {
    const size_t m = column_of_.size();
    std::vector<double> w(outputs_ * m);
    const auto place = [&](size_t at) -> double& {
      const size_t k = at / m, column = column_of_[at % m];
      return column == x_.cols ? intercept_[k] : w_[k * x_.cols + column];
    };
    for (size_t at = 0; at < w.size(); ++at) w[at] = place(at);
    const StopRule rule{.decrement = decrement,
                        .max_iterations = options_.max_iterations - result.iterations};
    const SolveResult next = newton_.minimise(columns_, penalties_, rule, w, intercept_[0]);
    for (size_t at = 0; at < w.size(); ++at) place(at) = w[at];
    result.status = next.status;
    result.iterations += next.iterations;
    for (size_t i = result.loss_curve.empty() ? 0 : 1; i < next.loss_curve.size(); ++i) {
      result.loss_curve.push_back(next.loss_curve[i] / total_);
    }
  }

  const X& x_;
  const FitOptions& options_;
  const size_t outputs_;
  const bool own_column_;  // the intercept's: a column of ones, number x.cols
  const double total_;
  RowModel<kSoftmax> rows_;
  ColumnNewton<T, kSoftmax> newton_;
  ColumnSet<T> columns_;
  std::vector<size_t> column_of_;  // of each in the set
  ColumnPenalties penalties_;
  std::vector<char> taken_;
  std::vector<double> w_, intercept_;
};

}  // namespace

template <class X>
FitResult fit_working_set(const X& x, const std::vector<double>& y, const std::vector<double>& weight,
                          const FitOptions& options, const std::vector<double>& start) {
  const Targets targets{y, weight};
  if (options.shape.loss == Loss::kSoftmax)
    return WorkingSetFit<X, true>(x, targets, options).run(targets, start);
  return WorkingSetFit<X, false>(x, targets, options).run(targets, start);
}

template FitResult fit_working_set(const CsrView<float>&, const std::vector<double>&,
                                   const std::vector<double>&, const FitOptions&, const std::vector<double>&);
template FitResult fit_working_set(const CsrView<double>&, const std::vector<double>&,
                                   const std::vector<double>&, const FitOptions&, const std::vector<double>&);
template FitResult fit_working_set(const MatrixView<float>&, const std::vector<double>&,
                                   const std::vector<double>&, const FitOptions&, const std::vector<double>&);
template FitResult fit_working_set(const MatrixView<double>&, const std::vector<double>&,
                                   const std::vector<double>&, const FitOptions&, const std::vector<double>&);

}  // namespace maas
