// One pass of coordinate descent over a quadratic with L1 and L2 penalties: every coordinate in turn goes to
// its minimum, and the gradient follows by one row of the Hessian. Scalar work is a few operations a
// coordinate; the row updates are vectors, element by element, so the bits are those of any FMA target.
#pragma once

#include <cstddef>
#include <cstdint>

namespace maas {

// Minimises q(w) + Σ l1_j |w_j| + l2_j/2 w_j². `size` numbers each, padded to `ld`, a multiple of
// kCoordinatePad: the padding of the Hessian is zero, that of the gradient anything finite.
struct CoordinateSweep {
  const double* hessian = nullptr;    // of q, symmetric, size rows of ld
  const double* curvature = nullptr;  // hessian_jj + l2_j; a coordinate where it is 0 stays as it is
  const double* inverse = nullptr;    // 1 / curvature_j
  const double* l1 = nullptr;
  const double* l2 = nullptr;
  size_t size = 0;
  size_t ld = 0;
  bool positive = false;  // w >= 0
  double* w = nullptr;
  double* gradient = nullptr;  // of q at w
};

inline constexpr size_t kCoordinatePad = 8;

// order: the coordinates to visit, or null for all of them from the first to the last. Returns the largest
// curvature_j δ_j² of a change δ_j: twice what it lowered the objective by, at least.
double coordinate_sweep(const CoordinateSweep& sweep, const uint32_t* order);

}  // namespace maas
