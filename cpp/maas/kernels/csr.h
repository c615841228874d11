// Products of compressed sparse rows with dense weights. Scalar on purpose: each nonzero needs one weight
// from anywhere, so loads bound the speed and vectors gain nothing; and plain multiplications and additions
// in a fixed order give the same bits on every SIMD target. Sums are float64 whatever the types.
#pragma once

#include <cstddef>

#include "maas/base/csr.h"

namespace maas {

// x_i . w for one row: four partials (position in the row mod 4) and one tree. `count` nonzeros.
template <class T, class W>
inline double csr_dot(const T* values, const int32_t* columns, size_t count, const W* w) {
  const auto term = [&](size_t k) {
    return static_cast<double>(values[k]) * static_cast<double>(w[columns[k]]);
  };
  double a = 0, b = 0, c = 0, d = 0;
  size_t k = 0;
  for (; k + 4 <= count; k += 4) {
    a += term(k);
    b += term(k + 1);
    c += term(k + 2);
    d += term(k + 3);
  }
  if (k < count) a += term(k);
  if (k + 1 < count) b += term(k + 1);
  if (k + 2 < count) c += term(k + 2);
  return (a + b) + (c + d);
}

// w += factor * x_i for one row.
template <class T>
inline void csr_add(double factor, const T* values, const int32_t* columns, size_t count, double* w) {
  for (size_t k = 0; k < count; ++k) w[columns[k]] += factor * static_cast<double>(values[k]);
}

// scores[i * outputs + o] = x_i . coef[o] + bias[o], coef being outputs x cols: the bits of a row depend on
// nothing but the row and the weights. Runs on the pool. NaN and infinity pass through.
template <class T>
void csr_scores(const CsrView<T>& x, const T* coef, size_t outputs, const T* bias, T* scores);

// The passes of a fit, over all rows of a view (a block of the whole). Several outputs lie side by side: w
// and sums hold `outputs` values a column, so a nonzero touches one place. z, r and c hold one run of rows an
// output, ld apart, as the losses read them (kernels/loss.h).

// z[o * ld + i] = x_i . w_o + bias[o].
template <class T>
void csr_margins(const CsrView<T>& x, const double* w, size_t outputs, const double* bias, double* z,
                 size_t ld);
// sums_o += Σ_i r[o * ld + i] x_i.
template <class T>
void csr_accumulate(const CsrView<T>& x, const double* r, size_t ld, size_t outputs, double* sums);
// Whether every value is finite.
template <class T>
bool csr_finite(const CsrView<T>& x);

#define MAAS_DECLARE_CSR(T)                                                                          \
  extern template void csr_scores(const CsrView<T>&, const T*, size_t, const T*, T*);                \
  extern template void csr_margins(const CsrView<T>&, const double*, size_t, const double*, double*, \
                                   size_t);                                                          \
  extern template void csr_accumulate(const CsrView<T>&, const double*, size_t, size_t, double*);    \
  extern template bool csr_finite(const CsrView<T>&);
MAAS_DECLARE_CSR(float)
MAAS_DECLARE_CSR(double)
#undef MAAS_DECLARE_CSR

}  // namespace maas
