// Conjugate gradients, preconditioned by a diagonal, for a positive semidefinite operator that is known by
// its products (Golub and Van Loan, algorithm 11.5.1). Without a preconditioner the solution of a singular
// but consistent system is the one of minimum norm.
#pragma once

#include <cstddef>
#include <functional>

#include "maas/base/aligned.h"

namespace maas {

struct CgStop {
  size_t products = 250;  // most products with the operator
  double residual = 0;    // stop where rᵀ M⁻¹ r is not above this,
  double relative = 0;    // or not above this part of what it was at first
  // Stop where the last ten steps together lowered the energy dᵀHd/2 - dᵀb by less than this part of all
  // steps so far (Hestenes and Stiefel's estimate of the error). 0: never.
  double energy = 0;
  // The fall of earlier solves that this one goes on from: it ends at once where nothing is left to gain.
  double fallen = 0;
};

// Buffers of one solve after another. `residual` holds the right side b before a solve and b - H d after.
struct CgVectors {
  explicit CgVectors(size_t n) : residual(n), inverse_diagonal(n, 1.0), direction(n), product(n) {}
  AlignedBuffer<double> residual, inverse_diagonal, direction, product;
};

struct CgResult {
  size_t products = 0;
  double fall = 0;  // how far the energy fell
};

// Solves H d = b from d = 0; apply(v, out) writes out = H v. `v.inverse_diagonal` is the preconditioner.
// Same bits on any number of threads. Polls for interrupts. If H proves not to be positive along a direction,
// stops with the d so far, or, at the first, with that direction.
CgResult conjugate_gradients(const std::function<void(const double*, double*)>& apply, CgVectors& v,
                             const CgStop& stop, double* d);

}  // namespace maas
