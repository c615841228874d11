// Coordinate descent on a quadratic given by its Hessian, with an L1 and an L2 penalty on each coordinate:
// the core of Lasso and elastic net, and of second-order methods for other losses (proximal Newton). Knows
// nothing of rows.
#pragma once

#include <cstddef>
#include <cstdint>

namespace maas {

// f(w) = q(w) + Σ l1_j |w_j| + l2_j/2 w_j². Views; nothing is owned.
struct PenalisedQuadratic {
  const double* hessian = nullptr;  // of q: symmetric, positive semidefinite, size × size, both triangles
  size_t ld = 0;                    // row stride of it
  size_t size = 0;
  const double* l1 = nullptr;  // >= 0; both penalties zero: a free coordinate, such as an intercept
  const double* l2 = nullptr;
  bool positive = false;  // w >= 0
};

struct CoordinateOptions {
  // Stop when no coordinate, going to its minimum, would lower f by more than tolerance² / 2.
  double tolerance = 1e-10;
  size_t max_sweeps = 1000;
  bool random = false;  // visit the coordinates in a new random order each sweep
  uint64_t seed = 0;
  bool poll = true;  // for interrupts; false in a task of the thread pool
};

struct CoordinateResult {
  size_t sweeps = 0;
  bool converged = false;
};

// Minimises from w, in place, and keeps gradient = ∇q(w): give it at the start, it is that of the solution
// afterwards. The minimum of ½ δᵀHδ + gᵀδ + l1 |w + δ| is found by passing w and g as they are. Serial.
//
// Sweeps run over a working set: the coordinates that are not zero or whose gradient is near their l1, in a
// matrix of their own. Once sweeps get long, the signs they found give the solution by one Cholesky
// factorisation, which is taken as far as the first sign that changes. Coordinates without any curvature
// become 0 if penalised and stay where they are otherwise.
CoordinateResult descend_coordinates(const PenalisedQuadratic& model, const CoordinateOptions& options,
                                     double* w, double* gradient);

}  // namespace maas
