// The mean loss of weighted compressed sparse rows plus an L2 penalty, as an Objective. A pass reads each
// nonzero once from memory: a block of rows gives its margins and is still in cache when their derivatives go
// back into the sums. Time and memory grow with the nonzeros and the columns, never with rows x columns.
//
// Same bits on any number of threads: rows are cut into shards of about equal nonzeros, by the data alone,
// each with its own sums, which meet in a fixed tree. So many shards that the sums stay below a third of the
// matrix's bytes.
#pragma once

#include <cstddef>
#include <memory>
#include <vector>

#include "maas/base/aligned.h"
#include "maas/base/csr.h"
#include "maas/base/view.h"
#include "maas/linear/curved_objective.h"
#include "maas/linear/row_objective.h"

namespace maas {

// The caller's arrays; nothing is copied or owned.
template <class T>
struct SparseRows {
  CsrView<T> x;
  VectorView<double> y;       // targets; class indices for classification
  VectorView<double> weight;  // no data: every row counts 1
};

// f(theta) = Σ_i s_i loss(x_i . w + b v, y_i) / Σ_i s_i + alpha/2 |w|², for every Loss: theta is laid out as
// in RowObjective (for each output, one weight a column and then the intercept b if there is one). v = 1, and
// b is not penalised, unless set_intercept() says otherwise. Margins, losses and sums are double for both T.
// Not for use by two threads at once (a pass itself runs on the pool).
template <class T>
class SparseObjective : public CurvedObjective {
 public:
  // Throws NotFinite naming the guilty array.
  SparseObjective(const SparseRows<T>& rows, const LinearModelShape& shape, double alpha);
  ~SparseObjective() override;

  size_t size() const override { return shape_.outputs * columns_; }
  double value_and_gradient(const double* theta, double* gradient) override;
  // Row-major, size() x size(): for few columns. Work grows with Σ (nonzeros of a row)² outputs².
  void hessian(const double* theta, double* h) override;
  size_t blocks() const override { return shape_.outputs; }
  void hessian_blocks(const double* theta, double* h) override;
  double scale() const override { return scale_; }
  void hessian_times(const double* v, double* out) override;
  // The mean curvature of an output times the mean square of a column: one pass over the rows at most.
  void hessian_diagonal(double* diagonal) override;

  // Σ_i s_i. 0: there is nothing to fit.
  double total_weight() const { return total_weight_; }
  void set_alpha(double alpha) { alpha_ = alpha; }
  // The intercept's column holds `value` (scikit-learn's intercept_scaling), penalised or not.
  void set_intercept(double value, bool penalised);

 private:
  struct Scratch;
  void check_targets();
  void cut_rows();
  template <class Block>
  void fold_rows(double* out, const Block& block);
  void finish_sums(double* out);
  void load_targets(size_t first, size_t count, Scratch& s) const;
  void margins(size_t first, size_t count, const double* w, double* z, size_t ld) const;
  void add_products(size_t first, size_t count, const double* r, size_t ld, double* sums) const;
  double block_derivatives(size_t first, size_t count, Scratch& s);
  void curve(size_t first, size_t count, Scratch& s) const;
  const double* by_column(const double* theta);
  void evaluate_curvature(const double* theta);
  double penalty(size_t column) const;

  SparseRows<T> rows_;
  LinearModelShape shape_;
  double alpha_;
  size_t columns_;  // features, then the intercept's
  double intercept_value_ = 1;
  bool intercept_penalised_ = false;
  double total_weight_ = 0;
  double scale_ = 1;
  size_t block_rows_;
  std::vector<size_t> cuts_;            // shard k is rows [cuts_[k], cuts_[k + 1])
  AlignedBuffer<double> sums_;          // one run of size() a shard, outputs side by side
  AlignedBuffer<double> weights_;       // theta with its outputs side by side; empty for one output
  AlignedBuffer<double> curved_;        // at the last theta: a row's curvature, or its probabilities
  AlignedBuffer<double> squares_;       // Σ_i s_i x_ij², made when first asked for
  std::vector<double> mean_curvature_;  // of each output, at the last theta
  std::vector<double> last_;            // the last theta
  std::vector<std::unique_ptr<Scratch>> scratch_;  // one a worker
};

extern template class SparseObjective<float>;
extern template class SparseObjective<double>;

}  // namespace maas
