#include "maas/metrics/binomial.h"

#include <cmath>

#include "maas/kernels/scalar_math.h"

namespace maas {
namespace {

constexpr double kInversionMean = 10;

// log k! less Stirling's formula for it.
double stirling_rest(double k) {
  constexpr double kRest[] = {
      0.0810614667953272, 0.0413406959554092, 0.0276779256849983, 0.02079067210376509, 0.0166446911898211,
      0.0138761288230707, 0.0118967099458917, 0.0104112652619720, 0.00925546218271273, 0.00833056343336287};
  if (k <= 9) return kRest[static_cast<int>(k)];
  const double square = (k + 1) * (k + 1);
  return (1.0 / 12 - (1.0 / 360 - 1.0 / 1260 / square) / square) / (k + 1);
}

uint64_t by_inversion(RandomStream& random, double n, double p) {
  const double odds = p / (1 - p);
  const double none = scalar_exp(n * scalar_log1p(-p));
  for (;;) {
    double left = random.uniform();
    double probability = none;
    for (double k = 0; k <= n; ++k) {
      if (left < probability) return static_cast<uint64_t>(k);
      left -= probability;
      probability *= odds * (n - k) / (k + 1);
    }
  }
}

uint64_t by_rejection(RandomStream& random, double n, double p) {
  const double deviation = std::sqrt(n * p * (1 - p));
  const double b = 1.15 + 2.53 * deviation;
  const double a = -0.0873 + 0.0248 * b + 0.01 * p;
  const double c = n * p + 0.5;
  const double squeeze = 0.92 - 4.2 / b;
  for (;;) {
    const double u = random.uniform() - 0.5;
    double v = random.uniform();
    const double distance = 0.5 - std::fabs(u);
    const double k = std::floor((2 * a / distance + b) * u + c);
    if (distance >= 0.07 && v <= squeeze) return static_cast<uint64_t>(k);
    if (!(k >= 0 && k <= n)) continue;
    const double odds = p / (1 - p);
    const double alpha = (2.83 + 5.1 / b) * deviation;
    const double mode = std::floor((n + 1) * p);
    v = scalar_log(v * alpha / (a / (distance * distance) + b));
    const double bound = (mode + 0.5) * scalar_log((mode + 1) / (odds * (n - mode + 1))) +
                         (n + 1) * scalar_log((n - mode + 1) / (n - k + 1)) +
                         (k + 0.5) * scalar_log(odds * (n - k + 1) / (k + 1)) + stirling_rest(mode) +
                         stirling_rest(n - mode) - stirling_rest(k) - stirling_rest(n - k);
    if (v <= bound) return static_cast<uint64_t>(k);
  }
}

}  // namespace

uint64_t random_binomial(RandomStream& random, uint64_t n, double p) {
  if (p > 0.5) return n - random_binomial(random, n, 1 - p);
  if (n == 0 || p <= 0) return 0;
  const auto trials = static_cast<double>(n);
  return trials * p < kInversionMean ? by_inversion(random, trials, p) : by_rejection(random, trials, p);
}

}  // namespace maas
