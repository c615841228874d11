// The inner problem of proximal Newton: a convex quadratic plus a weighted L1 penalty,
//   g.(u - w) + (u - w)ᵀ B (u - w) / 2 + Σ_j l1_j |u_j|,
// solved nearly exactly: sweeps of coordinate descent find the signs, a Cholesky solve on the coordinates
// that are not zero finds the values, however ill-conditioned B is. Same bits on any number of threads.
#pragma once

#include <cstddef>
#include <vector>

namespace maas {

struct L1Quadratic {
  const double* b = nullptr;  // n × n, symmetric, row-major, positive diagonal, positive semidefinite
  const double* gradient = nullptr;
  const double* from = nullptr;  // w
  const double* l1 = nullptr;    // >= 0; zero for a coordinate that is not penalised
  size_t n = 0;
};

// Returns the minimiser u, started from w. Where there is no penalty and no curvature either, some u.
std::vector<double> minimise_l1_quadratic(const L1Quadratic& problem);

}  // namespace maas
