// An approximate inverse Hessian: the factored diagonal blocks of an Objective's Hessian somewhere, of which
// L-BFGS makes its start and Newton's method its step. Immutable once made.
#pragma once

#include <cstddef>
#include <vector>

#include "maas/linear/objective.h"

namespace maas {

class CurvatureModel {
 public:
  CurvatureModel() = default;  // empty: the identity
  // The Hessian at theta, or only its diagonal blocks where those are many and large. A singular block is
  // lifted by a trace of its diagonal.
  static CurvatureModel at(Objective& objective, const double* theta);
  // The whole Hessian at theta, whatever its blocks.
  static CurvatureModel full_at(Objective& objective, const double* theta);

  explicit operator bool() const { return !factors_.empty(); }
  // v := H^-1 v
  void solve(double* v) const;

 private:
  CurvatureModel(size_t blocks, size_t size, size_t outputs);
  void factor();

  size_t blocks_ = 0;
  size_t size_ = 0;              // of a block
  size_t outputs_ = 1;           // groups of parameters that softmax is blind to a common shift of
  std::vector<double> factors_;  // upper triangles U with UᵀU = block, row-major
};

}  // namespace maas
