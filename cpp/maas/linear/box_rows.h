// What the interior point keeps and does for each row: the positive and negative part of its residual and
// the distances of its multiplier from the two ends of its box. Plain arithmetic on blocks of rows, one
// order, no threads.
#pragma once

#include <cstddef>

namespace maas {

// One row: weight (u p + (1 - u) q) with b - x.theta = p - q, p, q >= 0; its multiplier a in [u - 1, u] has
// s = u - a and t = 1 - s. On the central path p s = q t = mu, per unit of weight, so that a weight acts like
// repeated rows all along. Rows of weight zero are left alone.
struct BoxRows {
  double *p, *q, *s, *t;
  double *affine, *change;  // da of the predictor, da of the step
  const double *b, *weight, *u;

  BoxRows from(size_t i) const {
    return {p + i, q + i, s + i, t + i, affine + i, change + i, b + i, weight + i, u + i};
  }
};

struct BoxTotals {
  double value = 0;  // Σ weight (u r+ + (1 - u) r-)
  double dual = 0;   // Σ weight b a
  double gap = 0;    // Σ weight (p s + q t)
};

// Bilinear in the lengths of the primal and dual steps: Σ weight of (p + x dp)(s + y ds) + (q + x dq)(t + y
// dt) is gap + x primal + y dual + x y both.
struct BoxPrediction {
  double primal = 0, dual = 0, both = 0;
};

// The largest share of p or q, and of s or t, that a full step takes away: 1 / it is how far a step may go.
struct BoxLimits {
  double primal = 0, dual = 0;
};

struct BoxStep {
  double mu = 0;
  double primal = 0, dual = 0;  // lengths
};

// p, q from b and `spread`, a value like |b|; multipliers at 0 where that is inside the box, else half-way.
void start_rows(const BoxRows& rows, size_t n, double spread);

// At the margins z: h = weight D, the curvature of the condensed system; rhs = h (b - z); a = weight a.
void measure_rows(const BoxRows& rows, size_t n, const double* z, double* h, double* rhs, double* a,
                  BoxTotals& totals);

// The predictor (mu = 0) for the change dz of the margins: fills rows.affine, and the two parts of what the
// corrector adds to rhs: r0 + mu r1.
void predict_rows(const BoxRows& rows, size_t n, const double* z, const double* dz, double* r0, double* r1,
                  BoxPrediction& prediction, BoxLimits& limits);

// The corrected step for the change dz of the margins: fills rows.change.
void correct_rows(const BoxRows& rows, size_t n, const double* z, const double* dz, double mu,
                  BoxLimits& limits);

// Takes the step that rows.affine and rows.change describe.
void advance_rows(const BoxRows& rows, size_t n, const BoxStep& step);

}  // namespace maas
