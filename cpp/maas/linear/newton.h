// Newton's method: the step is the solution of H d = -g by Cholesky, H the whole Hessian at each point.
#pragma once

#include "maas/linear/curvature_model.h"
#include "maas/linear/minimise.h"

namespace maas {

class NewtonDirection : public Direction {
 public:
  explicit NewtonDirection(Objective& objective) : objective_(objective) {}

  void propose(const double* theta, const double* gradient, double* d) override {
    const CurvatureModel model = CurvatureModel::full_at(objective_, theta);
    for (size_t i = 0; i < objective_.size(); ++i) d[i] = -gradient[i];
    model.solve(d);
  }

 private:
  Objective& objective_;
};

}  // namespace maas
