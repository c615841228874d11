// Truncated Newton: the step is an approximate solution of H d = -g by conjugate gradients preconditioned
// with the diagonal, from products with H alone. Inexact far from the solution, where a better step is not
// worth its passes (Dembo, Eisenstat and Steihaug 1982; Nocedal and Wright, algorithm 7.1).
#pragma once

#include <cstddef>

#include "maas/linear/conjugate_gradients.h"
#include "maas/linear/curved_objective.h"
#include "maas/linear/minimise.h"

namespace maas {

// For minimise(): propose() must follow value_and_gradient() at the same theta, as it does there.
class NewtonCgDirection : public Direction {
 public:
  // `decrement`: what minimise() stops at, in units of the objective; no step is solved much beyond it.
  NewtonCgDirection(CurvedObjective& objective, double decrement)
      : objective_(objective), decrement_(decrement), vectors_(objective.size()) {}

  void propose(const double* theta, const double* gradient, double* d) override;

 private:
  CurvedObjective& objective_;
  const double decrement_;
  double first_ = 0;  // |g|² in the preconditioner's norm at the first step
  CgVectors vectors_;
};

}  // namespace maas
