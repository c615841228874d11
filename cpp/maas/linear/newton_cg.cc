#include "maas/linear/newton_cg.h"

#include <cmath>

namespace maas {

void NewtonCgDirection::propose(const double* /*theta*/, const double* gradient, double* d) {
  double* const inverse = vectors_.inverse_diagonal.data();
  objective_.hessian_diagonal(inverse);
  double rho = 0;
  for (size_t i = 0; i < objective_.size(); ++i) {
    inverse[i] = inverse[i] > 0 ? 1 / inverse[i] : 1.0;
    vectors_.residual[i] = -gradient[i];
    rho += gradient[i] * gradient[i] * inverse[i];
  }
  if (first_ == 0) first_ = rho;
  // Residual to be left, relative to the gradient: rough while far away.
  const double rough = rho > 1e-3 * first_ ? 0.25 : 0.1;
  const CgStop stop{.residual = std::fmax(rough * rough * rho, 0.01 * decrement_)};
  conjugate_gradients([&](const double* v, double* out) { objective_.hessian_times(v, out); }, vectors_, stop,
                      d);
}

}  // namespace maas
