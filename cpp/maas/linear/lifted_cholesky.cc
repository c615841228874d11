#include "maas/linear/lifted_cholesky.h"

#include <algorithm>
#include <vector>

#include "maas/linear/cholesky.h"

namespace maas {
namespace {

// A column that is constant in the rows seen has no curvature: nothing is known, so give it an average one,
// for short steps.
void fill_empty(double* a, size_t n) {
  double sum = 0;
  for (size_t i = 0; i < n; ++i) sum += a[i * n + i];
  for (size_t i = 0; i < n; ++i) {
    if (a[i * n + i] == 0) a[i * n + i] = sum > 0 ? sum / static_cast<double>(n) : 1.0;
  }
}

}  // namespace

void lifted_cholesky(double* a, size_t n) {
  fill_empty(a, n);
  const std::vector<double> original(a, a + n * n);
  // Lifted relative to each diagonal entry, so that units of columns do not matter.
  for (double lift = 1e-13; cholesky(a, n, n) < n; lift *= 100) {
    std::copy(original.begin(), original.end(), a);
    for (size_t i = 0; i < n; ++i) a[i * n + i] += lift * original[i * n + i];
    if (lift > 1e10) {  // not finite: fall back to a unit step
      for (size_t i = 0; i < n * n; ++i) a[i] = i % (n + 1) == 0 ? 1 : 0;
    }
  }
}

}  // namespace maas
