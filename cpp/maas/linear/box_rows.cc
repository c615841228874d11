#include "maas/linear/box_rows.h"

#include <algorithm>
#include <cmath>

namespace maas {
namespace {

// Never zero, where rounding eats the last of a step that stops just short.
constexpr double kTiny = 1e-300;

// dp, dq of a step da, from what the predictor did.
struct Change {
  double p, q;
};

Change corrected(double p, double q, double over_s, double over_t, double affine, double da, double mu) {
  const double x = affine * over_s, y = affine * over_t;
  // p s of a full predictor step would be dp ds, not 0; dp = p (x - 1), ds = -affine.
  const double dp = (mu + p * (x - 1) * affine + p * da) * over_s - p;
  const double dq = (mu + q * (y + 1) * affine - q * da) * over_t - q;
  return {dp, dq};
}

}  // namespace

void start_rows(const BoxRows& rows, size_t n, double spread) {
  for (size_t i = 0; i < n; ++i) {
    rows.p[i] = std::max(rows.b[i], 0.0) + spread;
    rows.q[i] = std::max(-rows.b[i], 0.0) + spread;
    const bool inside = rows.u[i] > 0 && rows.u[i] < 1;
    rows.s[i] = inside ? rows.u[i] : 0.5;
    rows.t[i] = 1 - rows.s[i];
  }
}

void measure_rows(const BoxRows& rows, size_t n, const double* z, double* h, double* rhs, double* a,
                  BoxTotals& totals) {
  for (size_t i = 0; i < n; ++i) {
    const double w = rows.weight[i], u = rows.u[i];
    const double p = rows.p[i], q = rows.q[i], s = rows.s[i], t = rows.t[i];
    const double r = rows.b[i] - z[i];
    h[i] = w * (s * t / (p * t + q * s));
    rhs[i] = h[i] * r;
    a[i] = w * (s < t ? u - s : t - (1 - u));
    totals.value += w * (r > 0 ? u * r : (u - 1) * r);
    totals.dual += rows.b[i] * a[i];
    totals.gap += w * (p * s + q * t);
  }
}

void predict_rows(const BoxRows& rows, size_t n, const double* z, const double* dz, double* r0, double* r1,
                  BoxPrediction& prediction, BoxLimits& limits) {
  for (size_t i = 0; i < n; ++i) {
    const double w = rows.weight[i];
    const double p = rows.p[i], q = rows.q[i], s = rows.s[i], t = rows.t[i];
    const double d = s * t / (p * t + q * s);
    const double over_s = 1 / s, over_t = 1 / t;
    const double da = d * (rows.b[i] - z[i] - dz[i]);
    const double x = da * over_s, y = da * over_t;
    const double dp = p * (x - 1), dq = -q * (y + 1);
    rows.affine[i] = da;
    r0[i] = -w * d * (dp * over_s + dq * over_t) * da;
    r1[i] = w * d * (over_t - over_s);
    prediction.primal += w * (dp * s + dq * t);
    prediction.dual += w * (q - p) * da;
    prediction.both += w * (dq - dp) * da;
    const bool counts = w > 0;
    limits.primal = std::max(limits.primal, counts ? std::max(1 - x, 1 + y) : 0.0);
    limits.dual = std::max(limits.dual, counts ? std::max(x, -y) : 0.0);
  }
}

void correct_rows(const BoxRows& rows, size_t n, const double* z, const double* dz, double mu,
                  BoxLimits& limits) {
  for (size_t i = 0; i < n; ++i) {
    const double p = rows.p[i], q = rows.q[i], s = rows.s[i], t = rows.t[i];
    const double over_s = 1 / s, over_t = 1 / t;
    const double affine = rows.affine[i];
    const double x = affine * over_s, y = affine * over_t;
    const double bend = (p * (x - 1) * over_s - q * (y + 1) * over_t) * affine;
    const double target = rows.b[i] - z[i] - bend + mu * (over_t - over_s);
    const double da = s * t / (p * t + q * s) * (target - dz[i]);
    const Change change = corrected(p, q, over_s, over_t, affine, da, mu);
    rows.change[i] = da;
    const bool counts = rows.weight[i] > 0;
    limits.primal = std::max(limits.primal, counts ? std::max(-change.p / p, -change.q / q) : 0.0);
    limits.dual = std::max(limits.dual, counts ? std::max(da * over_s, -da * over_t) : 0.0);
  }
}

void advance_rows(const BoxRows& rows, size_t n, const BoxStep& step) {
  for (size_t i = 0; i < n; ++i) {
    const double on = rows.weight[i] > 0 ? 1 : 0;
    const double p = rows.p[i], q = rows.q[i], s = rows.s[i], t = rows.t[i];
    const double da = rows.change[i];
    const Change change = corrected(p, q, 1 / s, 1 / t, rows.affine[i], da, step.mu);
    rows.p[i] = std::max(p + on * step.primal * change.p, kTiny);
    rows.q[i] = std::max(q + on * step.primal * change.q, kTiny);
    rows.s[i] = std::max(s - on * step.dual * da, kTiny);
    rows.t[i] = std::max(t + on * step.dual * da, kTiny);
  }
}

}  // namespace maas
