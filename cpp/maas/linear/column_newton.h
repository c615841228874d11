// Logistic and softmax loss with L1 and L2 penalties over sparse columns: Newton's method whose quadratic
// model is minimised by coordinate descent over the columns (newGLMNET: Yuan, Ho and Lin, JMLR 13, 2012), so
// that no matrix of columns × columns exists. The free intercept of the logistic loss is eliminated from the
// model: it is at its best after every move of a coordinate.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "maas/linear/column_set.h"
#include "maas/linear/minimise.h"
#include "maas/linear/row_model.h"

namespace maas {

struct ColumnPenalties {
  std::vector<double> l1, l2;  // one a column: of its weights, beside Σ_i s_i loss_i
};

template <class T, bool kSoftmax>
class ColumnNewton {
 public:
  // free_intercept: one that is not penalised, for one output only; others take a column of ones.
  ColumnNewton(RowModel<kSoftmax>& rows, bool free_intercept) : rows_(rows), intercept_(free_intercept) {}

  // Minimises Σ_i s_i loss_i + Σ_j l1_j |w_j| + l2_j/2 w_j² from w (outputs × columns) and the intercept,
  // whose margins the rows already have, in place; leaves the rows evaluated there. Stops once the model says
  // that no more than rule.decrement can still be won. The loss curve has the objective at the start and
  // after each step.
  SolveResult minimise(const ColumnSet<T>& columns, const ColumnPenalties& penalties, const StopRule& rule,
                       std::vector<double>& w, double& intercept);

 private:
  struct Coordinate {
    size_t slot, output;
    double gradient, curvature, linear;  // linear: Σ_i x_i curvature_i
    double l1, l2;
    double from, to;  // the weight
  };

  void begin(const ColumnSet<T>& columns, const ColumnPenalties& penalties, const std::vector<double>& w);
  void minimise_model(const ColumnSet<T>& columns, double accuracy);
  double move(const ColumnSet<T>& columns, Coordinate& c);
  double decrement() const;
  void add_direction(const ColumnSet<T>& columns, double length);
  double penalty(const ColumnPenalties& penalties, const std::vector<double>& w) const;

  RowModel<kSoftmax>& rows_;
  const bool intercept_;
  std::vector<Coordinate> active_;
  double residual_sum_ = 0, curvature_sum_ = 0;
  double moved_ = 0;   // Σ_i of H u
  double change_ = 0;  // of the intercept
};

extern template class ColumnNewton<float, false>;
extern template class ColumnNewton<float, true>;
extern template class ColumnNewton<double, false>;
extern template class ColumnNewton<double, true>;

}  // namespace maas
