#include "maas/linear/schedule.h"

#include <algorithm>
#include <cmath>

#include "maas/kernels/elementwise.h"

namespace maas {

namespace {

// eta = eta0 * t^-power for t = first, first + 1, ... The default powers are square roots, which are exact;
// any other goes through our own log and exp, never libm's pow.
void inverse_powers(double first, size_t count, double eta0, double power, double* eta) {
  for (size_t i = 0; i < count; ++i) eta[i] = first + static_cast<double>(i);
  if (power == 0.5 || power == 0.25) {
    for (size_t i = 0; i < count; ++i) {
      const double root = std::sqrt(eta[i]);
      eta[i] = eta0 / (power == 0.5 ? root : std::sqrt(root));
    }
    return;
  }
  map_arrays(MapOp::kLog, count, eta, nullptr, eta);
  for (size_t i = 0; i < count; ++i) eta[i] *= -power;
  map_arrays(MapOp::kExp, count, eta, nullptr, eta);
  for (size_t i = 0; i < count; ++i) eta[i] *= eta0;
}

}  // namespace

void Schedule::rates(double first, size_t count, double current, double* eta) const {
  switch (kind) {
    case Kind::kConstant: std::fill_n(eta, count, eta0); break;
    case Kind::kAdaptive: std::fill_n(eta, count, current); break;
    case Kind::kInvScaling: inverse_powers(first, count, eta0, power, eta); break;
    case Kind::kOptimal: {
      const double typical_weight = std::sqrt(1.0 / std::sqrt(alpha));
      const double t0 = 1.0 / (typical_weight * alpha);
      for (size_t i = 0; i < count; ++i) eta[i] = 1.0 / (alpha * (t0 + first + static_cast<double>(i) - 1));
      break;
    }
  }
}

}  // namespace maas
