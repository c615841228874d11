// The mean loss of weighted rows plus an L2 penalty, as an Objective: one fused pass over panels of rows that
// stay in cache. Holds views of the caller's arrays, which must outlive it; not for use by two threads at
// once (the pass itself runs on the pool).
#pragma once

#include <cstddef>
#include <vector>

#include "maas/base/aligned.h"
#include "maas/base/shards.h"
#include "maas/base/view.h"
#include "maas/kernels/loss.h"
#include "maas/linear/objective.h"

namespace maas {

template <class T>
struct WeightedRows {
  MatrixView<T> x;
  VectorView<T> y;       // targets; class indices for classification
  VectorView<T> weight;  // no data: every row counts 1

  // Every stride-th row. Shares memory.
  WeightedRows sample(size_t stride) const;
};

struct LinearModelShape {
  Loss loss = Loss::kSquared;
  size_t outputs = 1;  // classes for softmax, else 1
  bool intercept = true;
  // The intercept's penalty, as a share of the weights': 1 / v² is that of a column of constants v whose
  // weight is penalised like any other (scikit-learn's intercept_scaling).
  double intercept_penalty = 0;
};

// f(theta) = Σ_i s_i loss(x_i . w + b, y_i) / Σ_i s_i + alpha/2 |w|². theta holds, for each output, one
// weight a column and then the intercept if there is one, which is penalised only where the shape says so.
// Columns are shifted by `shift` (empty: not at all), so the intercept is the one of shifted columns.
template <class T>
class RowObjective : public Objective {
 public:
  RowObjective(const WeightedRows<T>& rows, const LinearModelShape& shape, double alpha,
               const std::vector<double>& shift);

  size_t size() const override { return shape_.outputs * columns_; }
  double value_and_gradient(const double* theta, double* gradient) override;
  void hessian(const double* theta, double* h) override { curvature(theta, h, false); }
  size_t blocks() const override { return shape_.outputs; }
  void hessian_blocks(const double* theta, double* h) override { curvature(theta, h, true); }
  double noise() const override { return sizeof(T) == 4 ? 1e-7 : 1e-15; }
  double scale() const override { return scale_; }

  // Σ_i s_i, checked finite. 0: there is nothing to fit.
  double total_weight() const { return total_weight_; }
  void set_alpha(double alpha) { alpha_ = alpha; }

 private:
  struct Scratch;
  template <class Fold, class Finish>
  std::vector<double> fold_rows(size_t size, size_t max_shards, const Fold& fold, const Finish& finish) const;
  void load_block(size_t begin, size_t rows, Scratch& s) const;
  void sum_targets();
  void curvature(const double* theta, double* h, bool diagonal_blocks) const;
  std::vector<double> curvature_sums(const double* theta, bool diagonal_blocks) const;
  std::vector<T> as_rows_type(const double* theta) const;

  WeightedRows<T> rows_;
  LinearModelShape shape_;
  double alpha_;
  std::vector<T> shift_;
  size_t columns_;     // of a panel: features, then a column of ones for the intercept
  size_t block_rows_;  // of a panel
  double total_weight_ = 0;
  double scale_ = 1;
  // Passes run to and fro: a pass begins with the rows that the last one left in the cache.
  mutable bool backwards_ = false;
};

}  // namespace maas
