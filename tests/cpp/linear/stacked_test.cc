#include <gtest/gtest.h>

#include <cmath>
#include <cstdint>
#include <numeric>
#include <vector>

#include "maas/base/error.h"
#include "maas/base/thread_pool.h"
#include "maas/kernels/loss.h"
#include "maas/kernels/panel.h"
#include "maas/kernels/stacked_residuals.h"
#include "maas/linear/fit.h"
#include "maas/linear/out_of_fold.h"
#include "maas/linear/stacked_fit.h"
#include "maas/linear/stacked_pass.h"
#include "targets.h"

namespace maas {
namespace {

using test::expect_same_bits_on_fma_targets;
using test::for_each_target;

constexpr LinearModelShape kBinary{Loss::kLogistic, 1, true};
constexpr LinearModelShape kNoIntercept{Loss::kLogistic, 1, false};
constexpr LinearModelShape kThree{Loss::kSoftmax, 3, true};

template <class T>
struct Problem {
  Problem(size_t n, size_t d, size_t classes, bool weighted = true) : x(n * d), y(n), weight(n), fold(n) {
    for (size_t i = 0; i < n * d; ++i) {
      x[i] = static_cast<T>(std::sin(0.1 + 1.7 * static_cast<double>(i * i % 1009)));
    }
    for (size_t i = 0; i < n; ++i) {
      y[i] = static_cast<T>((i * 7 + (x[i * d] > 0)) % classes);
      weight[i] = static_cast<T>(i % 3);
      fold[i] =
          static_cast<int32_t>(i * i % 4) - 1;  // scattered, fold 1 larger than the others, some in none
      if (i > n / 2) fold[i] = 2;
    }
    rows = {{x.data(), n, d, static_cast<ptrdiff_t>(d), 1}, {y.data(), n, 1}, {}};
    if (weighted) rows.weight = {weight.data(), n, 1};
  }

  // The rows that `left_out` does not test.
  Problem training(int32_t left_out) const {
    Problem out(0, rows.x.cols, 2);
    for (size_t i = 0; i < y.size(); ++i) {
      if (fold[i] == left_out) continue;
      const auto at = x.begin() + static_cast<ptrdiff_t>(i * rows.x.cols);
      out.x.insert(out.x.end(), at, at + static_cast<ptrdiff_t>(rows.x.cols));
      out.y.push_back(y[i]);
      out.weight.push_back(rows.weight ? weight[i] : T(1));
    }
    const size_t n = out.y.size();
    out.rows = {{out.x.data(), n, rows.x.cols, rows.x.row_stride, 1},
                {out.y.data(), n, 1},
                {out.weight.data(), n, 1}};
    return out;
  }

  std::vector<T> x, y, weight;
  std::vector<int32_t> fold;
  WeightedRows<T> rows;
};

std::vector<double> somewhere(size_t n) {
  std::vector<double> theta(n);
  for (size_t i = 0; i < n; ++i) theta[i] = std::cos(static_cast<double>(i)) / 3;
  return theta;
}

template <class T>
void expect_residuals_of_losses() {
  for (size_t ld = kPanelPad; ld <= 5 * kPanelPad; ld += kPanelPad) {
    std::vector<T> z(3 * ld), y(ld), weight(ld), stacked(3 * ld), single(ld);
    for (size_t i = 0; i < z.size(); ++i) z[i] = static_cast<T>(200 * std::sin(static_cast<double>(i)));
    z[1] = 0;
    for (size_t i = 0; i < ld; ++i) {
      y[i] = static_cast<T>(i % 2);
      weight[i] = static_cast<T>(i % 5) / 2;
    }
    for (const T* w : {static_cast<const T*>(nullptr), static_cast<const T*>(weight.data())}) {
      logistic_residuals(z.data(), ld, 3, y.data(), w, stacked.data());
      for (size_t o = 0; o < 3; ++o) {
        loss_rows(Loss::kLogistic, z.data() + o * ld, y.data(), w, ld, single.data(),
                  static_cast<T*>(nullptr));
        for (size_t i = 0; i < ld; ++i) ASSERT_EQ(test::bits(stacked[o * ld + i]), test::bits(single[i]));
      }
    }
  }
}

TEST(StackedResiduals, AreThoseOfTheLoss) {
  for_each_target([] {
    expect_residuals_of_losses<float>();
    expect_residuals_of_losses<double>();
  });
}

// Sums of the stacked pass against the objective on copies of the training rows.
void expect_derivatives_of_objective(const LinearModelShape& shape, size_t n, size_t d) {
  const Problem<double> p(n, d, shape.outputs == 1 ? 2 : shape.outputs);
  const std::vector<double> shift(d, 0.1);
  const FoldRows<double> rows(p.rows, shape.intercept, shift, p.fold.data(), 3, 64);
  const StackedPass<double> pass(rows, shape);
  const size_t size = pass.size();
  const auto theta = somewhere(size + 3);
  std::vector<StackedPoint> points;
  for (const size_t fold : {kNoFold, size_t{0}, size_t{1}, size_t{2}}) {
    points.push_back({theta.data() + points.size() % 3, fold});
  }
  const auto gradients = pass.gradients(points);
  const auto groups = pass.group_gradients(points);
  const auto curvature = pass.curvature(points);
  std::vector<double> g(size), h(pass.curvature_size());
  for (size_t k = 0; k < points.size(); ++k) {
    const int32_t left_out = points[k].fold == kNoFold ? 99 : static_cast<int32_t>(points[k].fold);
    const auto training = p.training(left_out);
    RowObjective<double> f(training.rows, shape, 0.0, shift);
    f.value_and_gradient(points[k].theta, g.data());
    pass.blocks() == 1 ? f.hessian(points[k].theta, h.data()) : f.hessian_blocks(points[k].theta, h.data());
    const double total = f.total_weight();
    for (size_t i = 0; i < size; ++i) {
      ASSERT_NEAR(gradients[k * size + i], g[i] * total, 1e-11 * total);
      double sum = 0;
      for (size_t group = 0; group < rows.groups(); ++group) {
        if (group != points[k].fold) sum += groups[(k * rows.groups() + group) * size + i];
      }
      ASSERT_NEAR(sum, g[i] * total, 1e-11 * total);
    }
    for (size_t i = 0; i < h.size(); ++i) {
      ASSERT_NEAR(curvature[k * h.size() + i], h[i] * total, 1e-11 * total);
    }
  }
}

TEST(StackedPass, DerivativesAreThoseOfTheTrainingRows) {
  for_each_target([] {
    for (const size_t n : {3, 50, 131, 700}) {
      for (const LinearModelShape& shape : {kBinary, kNoIntercept, kThree}) {
        expect_derivatives_of_objective(shape, n, 5);
      }
    }
    expect_derivatives_of_objective({Loss::kSoftmax, 5, true}, 300, 40);  // blocks of the second derivative
  });
}

template <class T>
StackedResult fit(const WeightedRows<T>& rows, const std::vector<int32_t>& fold, size_t folds,
                  const LinearModelShape& shape, std::vector<double> l2) {
  StackedOptions options;
  options.shape = shape;
  options.l2 = std::move(l2);
  return fit_stacked(rows, fold.data(), folds, options);
}

double objective_at(const Problem<double>& p, const LinearModelShape& shape, double l2, const double* coef,
                    const double* intercept) {
  RowObjective<double> f(p.rows, shape, 0.0, {});
  f.set_alpha(l2 / f.total_weight());
  const size_t d = p.rows.x.cols;
  std::vector<double> theta, gradient(f.size());
  for (size_t o = 0; o < shape.outputs; ++o) {
    theta.insert(theta.end(), coef + o * d, coef + (o + 1) * d);
    if (shape.intercept) theta.push_back(intercept[o]);
  }
  return f.value_and_gradient(theta.data(), gradient.data());
}

TEST(StackedFit, EachModelIsTheOptimumOfItsTrainingRows) {
  const std::vector<double> l2{1000, 10, 1, 1e-3};
  for (const LinearModelShape& shape : {kBinary, kNoIntercept, kThree}) {
    const Problem<double> p(400, 6, shape.outputs == 1 ? 2 : shape.outputs);
    const StackedResult result = fit(p.rows, p.fold, 3, shape, l2);
    const size_t size = shape.outputs * 6;
    for (size_t slot = 0; slot < 4; ++slot) {
      const auto training = p.training(slot == 0 ? 99 : static_cast<int32_t>(slot) - 1);
      for (size_t k = 0; k < l2.size(); ++k) {
        const size_t at = slot * l2.size() + k;
        FitOptions options;
        options.shape = shape;
        options.l2 = l2[k];
        options.tolerance = 1e-6;
        options.solver = Solver::kNewtonCholesky;
        const FitResult best = fit_linear(training.rows, options);
        const double value = objective_at(training, shape, l2[k], result.coef.data() + at * size,
                                          result.intercept.data() + at * shape.outputs);
        EXPECT_EQ(result.status[at], SolveStatus::kConverged);
        ASSERT_NEAR(value, best.loss_curve.back(), 1e-12);
        for (size_t i = 0; i < size; ++i) ASSERT_NEAR(result.coef[at * size + i], best.coef[i], 1e-6);
      }
    }
  }
}

TEST(StackedFit, ManyFoldsAreSolvedInBatches) {
  Problem<double> p(60, 3, 2, false);
  std::iota(p.fold.begin(), p.fold.end(), 0);  // each row its own fold: more models than are stacked at once
  const std::vector<double> l2(30, 1.0);
  const StackedResult result = fit(p.rows, p.fold, 60, kBinary, l2);
  ASSERT_EQ(result.coef.size(), 61 * 30 * 3u);
  for (const int32_t row : {0, 30, 59}) {
    const auto training = p.training(row);
    FitOptions options;
    options.shape = kBinary;
    const FitResult best = fit_linear(training.rows, options);
    const double* coef = result.coef.data() + static_cast<size_t>(row + 1) * 30 * 3;
    for (size_t j = 0; j < 3; ++j) ASSERT_NEAR(coef[j], best.coef[j], 1e-7);
  }
}

TEST(StackedFit, WideRowsDoWithoutSecondDerivatives) {
  const Problem<double> p(40, 900, 2, false);
  const StackedResult result = fit(p.rows, p.fold, 3, kBinary, {1.0});
  const auto training = p.training(1);
  FitOptions options;
  options.shape = kBinary;
  options.tolerance = 1e-6;
  const FitResult best = fit_linear(training.rows, options);
  EXPECT_NEAR(objective_at(training, kBinary, 1.0, result.coef.data() + 2 * 900, result.intercept.data() + 2),
              best.loss_curve.back(), 1e-8 * best.loss_curve.back());
}

template <class T>
std::vector<double> all_results(const WeightedRows<T>& rows, const std::vector<int32_t>& fold,
                                const LinearModelShape& shape) {
  const StackedResult r = fit(rows, fold, 3, shape, {100, 1, 0.01});
  std::vector<double> all = r.coef;
  all.insert(all.end(), r.intercept.begin(), r.intercept.end());
  all.insert(all.end(), r.iterations.begin(), r.iterations.end());
  const std::vector<T> coef(r.coef.begin() + static_cast<ptrdiff_t>(r.coef.size() / 4), r.coef.end());
  const std::vector<T> intercept(r.intercept.begin() + static_cast<ptrdiff_t>(r.intercept.size() / 4),
                                 r.intercept.end());
  const FoldModels<T> models{coef.data(), intercept.data(), 3, 3, shape.outputs};
  std::vector<T> decisions(3 * rows.x.rows * shape.outputs);
  out_of_fold_decisions(rows, fold.data(), models, decisions.data());
  all.insert(all.end(), decisions.begin(), decisions.end());
  return all;
}

template <class T>
void expect_one_answer(const LinearModelShape& shape, size_t n, size_t d) {
  const Problem<T> p(n, d, shape.outputs == 1 ? 2 : shape.outputs);
  std::vector<T> columns(p.x.size());
  for (size_t i = 0; i < n; ++i) {
    for (size_t j = 0; j < d; ++j) columns[j * n + i] = p.x[i * d + j];
  }
  WeightedRows<T> by_columns = p.rows;
  by_columns.x = {columns.data(), n, d, 1, static_cast<ptrdiff_t>(n)};
  const int threads = num_threads();
  expect_same_bits_on_fma_targets([&] {
    set_num_threads(1);
    const auto one = all_results(p.rows, p.fold, shape);
    for (const int count : {2, 4}) {
      set_num_threads(count);
      EXPECT_EQ(all_results(p.rows, p.fold, shape), one);
      EXPECT_EQ(all_results(by_columns, p.fold, shape), one);
    }
    return one;
  });
  set_num_threads(threads);
}

TEST(StackedFit, SameBitsOnThreadsTargetsAndLayouts) {
  expect_one_answer<float>(kBinary, 3000, 5);
  expect_one_answer<double>(kBinary, 18000, 4);  // a sample is solved first
  expect_one_answer<double>(kThree, 900, 5);
}

TEST(OutOfFold, ScoresRowsByTheModelThatLeftThemOut) {
  const Problem<double> p(333, 4, 3);
  const StackedResult r = fit(p.rows, p.fold, 3, kThree, {10, 1});
  const FoldModels<double> models{r.coef.data() + 2 * 12, r.intercept.data() + 2 * 3, 3, 2, 3};
  std::vector<double> decisions(2 * 333 * 3, -1.0);
  out_of_fold_decisions(p.rows, p.fold.data(), models, decisions.data());
  const std::vector<double> hits = out_of_fold_hits(p.rows, p.fold.data(), models);
  ASSERT_EQ(hits.size(), 9u);
  std::vector<double> expected(9, 0.0);
  for (size_t k = 0; k < 2; ++k) {
    for (size_t i = 0; i < 333; ++i) {
      const double* own = decisions.data() + (k * 333 + i) * 3;
      if (p.fold[i] < 0) {
        ASSERT_EQ(own[0], -1.0);
        continue;
      }
      const size_t model = static_cast<size_t>(p.fold[i]) * 2 + k;
      size_t best = 0;
      for (size_t o = 0; o < 3; ++o) {
        double margin = models.intercept[model * 3 + o];
        for (size_t j = 0; j < 4; ++j) margin += p.rows.x(i, j) * models.coef[(model * 3 + o) * 4 + j];
        ASSERT_NEAR(own[o], margin, 1e-12);
        if (own[o] > own[best]) best = o;
      }
      if (p.y[i] == static_cast<double>(best)) expected[model] += p.weight[i];
      if (k == 0) expected[6 + static_cast<size_t>(p.fold[i])] += p.weight[i];
    }
  }
  EXPECT_EQ(hits, expected);
}

TEST(StackedFit, SaysWhatIsWrong) {
  Problem<double> p(30, 2, 2);
  std::vector<int32_t> wrong = p.fold;
  wrong[3] = 3;
  EXPECT_THROW(fit(p.rows, wrong, 3, kBinary, {1.0}), Error);
  EXPECT_THROW(fit(p.rows, std::vector<int32_t>(30, 0), 1, kBinary, {1.0}), Error);
  p.x[7] = std::nan("");
  EXPECT_THROW(fit(p.rows, p.fold, 3, kBinary, {1.0}), NotFinite);
  p.x[7] = 0;
  p.weight[2] = HUGE_VAL;
  EXPECT_THROW(fit(p.rows, p.fold, 3, kBinary, {1.0}), NotFinite);
}

}  // namespace
}  // namespace maas
