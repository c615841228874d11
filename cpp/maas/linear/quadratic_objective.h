// The squared loss as an Objective on d × d numbers: after one pass over the rows (linear/gram_state.h) every
// solver's iterations cost nothing a row. The intercept is eliminated exactly, by centring.
#pragma once

#include <cstddef>
#include <vector>

#include "maas/linear/objective.h"

namespace maas {

// f(w) = (wᵀGw - 2 bᵀw + c) / 2 Σs + alpha/2 |w|² for one target. Views of the caller's moments, which must
// outlive it: G is d × d of leading dimension ld, b a column of the same matrix (stride ld).
class QuadraticObjective : public Objective {
 public:
  QuadraticObjective(const double* gram, size_t ld, size_t d, const double* b, double c, double total_weight,
                     double alpha)
      : gram_(gram), ld_(ld), d_(d), b_(b), c_(c), total_weight_(total_weight), alpha_(alpha) {}

  size_t size() const override { return d_; }
  double scale() const override { return c_ > 0 ? c_ / (2 * total_weight_) : 1; }

  double value_and_gradient(const double* theta, double* gradient) override {
    double value = c_, square = 0;
    for (size_t i = 0; i < d_; ++i) gradient[i] = -b_[i * ld_];
    for (size_t j = 0; j < d_; ++j) {
      const double* row = gram_ + j * ld_;
      for (size_t i = 0; i < d_; ++i) gradient[i] += row[i] * theta[j];
    }
    for (size_t i = 0; i < d_; ++i) {
      value += theta[i] * (gradient[i] - b_[i * ld_]);
      square += theta[i] * theta[i];
      gradient[i] = gradient[i] / total_weight_ + alpha_ * theta[i];
    }
    return value / (2 * total_weight_) + alpha_ / 2 * square;
  }

  void hessian(const double*, double* h) override {
    for (size_t i = 0; i < d_; ++i) {
      for (size_t j = 0; j < d_; ++j)
        h[i * d_ + j] = gram_[i * ld_ + j] / total_weight_ + (i == j ? alpha_ : 0.0);
    }
  }

 private:
  const double* gram_;
  size_t ld_;
  size_t d_;
  const double* b_;
  double c_;
  double total_weight_;
  double alpha_;
};

}  // namespace maas
