#include "maas/linear/elastic_net.h"

#include <algorithm>

namespace maas {

double step_tolerance(double tolerance) { return std::clamp(1e-8 * tolerance, 1e-13, 1e-10); }

double dual_gap(const GapTerms& t, double l1, double l2) {
  double gap = 0;
  if (l1 > 0) {
    const double square = t.residual_square + l2 * t.coef_square;
    const double scale = t.dual_norm > l1 ? l1 / t.dual_norm : 1;
    const double primal = square / 2 + l1 * t.coef_l1;
    gap = primal + scale * scale * square / 2 - scale * t.residual_y;
  } else if (l2 > 0) {
    gap = t.residual_square + l2 * t.coef_square / 2 - t.residual_y + t.gradient_square / (2 * l2);
  } else {
    gap = t.gradient_square;
  }
  return std::max(gap, 0.0);  // below zero is rounding
}

}  // namespace maas
