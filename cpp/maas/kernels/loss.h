// Losses over a panel's margins: value, derivative and curvature of each row in one go. Adding a loss is one
// struct in loss-inl.h and one line in each switch of loss.cc.
#pragma once

#include <cstddef>

namespace maas {

enum class Loss {
  kSquared,       // (z - y)^2 / 2
  kLogistic,      // log(1 + e^-(2y - 1)z), y in {0, 1}
  kPoisson,       // e^z - y z, y >= 0: half the deviance but for terms of y alone
  kSquaredHinge,  // max(0, 1 - (2y - 1)z)^2, y in {0, 1}; curvature 2 where it is above zero
  kSoftmax,       // log Σ_k e^z_k - z_y, y a class index
};

// Rows are counted in whole padded vectors (n a multiple of kPanelPad); `weight` may be null where all n rows
// are real and count 1, else padding rows must weigh 0. Sums run in 16 float32 or 8 float64 partials.

// residual[i] = weight dloss/dz; curvature[i] = weight d²loss/dz², where not null. Returns Σ weight loss.
// residual may be z itself.
double loss_rows(Loss loss, const float* z, const float* y, const float* weight, size_t n, float* residual,
                 float* curvature);
double loss_rows(Loss loss, const double* z, const double* y, const double* weight, size_t n,
                 double* residual, double* curvature);

// z holds one row of n margins a class, ld apart. On return z holds probabilities and residual, where not
// null, weight (probability - [y == class]) in the same layout. Returns Σ weight loss.
double softmax_rows(float* z, size_t ld, size_t classes, const float* y, const float* weight, size_t n,
                    float* residual);
double softmax_rows(double* z, size_t ld, size_t classes, const double* y, const double* weight, size_t n,
                    double* residual);

// curvature[i] = weight[i] p[i] ([same] - q[i]): the second derivative of softmax by margins p and q.
void softmax_curvature(const float* p, const float* q, bool same, const float* weight, size_t n,
                       float* curvature);
void softmax_curvature(const double* p, const double* q, bool same, const double* weight, size_t n,
                       double* curvature);

}  // namespace maas
