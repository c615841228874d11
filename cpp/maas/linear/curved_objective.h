// An Objective whose second derivative is known as an operator: what truncated Newton needs where the matrix
// itself would be too large.
#pragma once

#include "maas/linear/objective.h"

namespace maas {

class CurvedObjective : public Objective {
 public:
  // Both speak of the theta of the last value_and_gradient().
  // out = H v. `out` may not be v.
  virtual void hessian_times(const double* v, double* out) = 0;
  // About the diagonal of H, every entry above zero where the gradient can be other than zero: only the speed
  // of a solve depends on it.
  virtual void hessian_diagonal(double* diagonal) = 0;
};

}  // namespace maas
