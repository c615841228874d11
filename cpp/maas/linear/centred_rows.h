// The centred, weighted rows of a fit as blocks for a QR factorisation (linear/tsqr.h), as they are or
// transposed, and their products with one another.
#pragma once

#include <cmath>
#include <cstddef>
#include <limits>
#include <vector>

#include "maas/base/aligned.h"
#include "maas/linear/row_panels.h"
#include "maas/linear/tsqr.h"

namespace maas {

// x - centre, with what is only the rounding of the mean flushed to zero: a constant column vanishes exactly.
inline double subtract(double x, double centre) {
  constexpr double kEpsilon = std::numeric_limits<double>::epsilon();
  const double v = x - centre;
  return std::fabs(v) <= 8 * kEpsilon * std::fabs(centre) ? 0.0 : v;
}

template <class T>
double root_weight(const RegressionRows<T>& rows, size_t i) {
  return rows.weights ? std::sqrt(rows.weights[i]) : 1.0;
}

// Rows of [X | y], centred and times √w.
template <class T>
PackBlock pack_rows(const RegressionRows<T>& rows, const std::vector<double>& centre) {
  return [&rows, &centre](size_t first, size_t n, double* block, size_t ld) {
    const RowPanels<T, double> panels(rows, std::vector<double>(centre.size(), 0.0));
    panels.pack(0, centre.size(), first, n, block, ld);
    for (size_t j = 0; j < centre.size(); ++j) {
      for (size_t i = 0; i < n; ++i) {
        block[j * ld + i] = subtract(block[j * ld + i], centre[j]) * root_weight(rows, first + i);
      }
    }
  };
}

// Columns [first, first + n) of x, one a row of the panel.
template <class T>
void unpack_transposed(const CsrView<T>& x, size_t first, size_t n, double* block, size_t ld) {
  std::fill_n(block, x.rows * ld, 0.0);
  double verdict = 0;  // x * 0 is 0 for every finite x
  for (size_t i = 0; i < x.rows; ++i) {
    for_nonzeros(x, i, first, first + n, [&](size_t j, T value) {
      block[i * ld + j - first] = static_cast<double>(value);
      verdict += static_cast<double>(value) * 0.0;
    });
  }
  if (verdict != 0) throw NotFinite("Input X");
}

// Rows are features, columns samples: the transpose of the centred, weighted X.
template <class T>
PackBlock pack_transposed(const RegressionRows<T>& rows, const std::vector<double>& centre) {
  return [&rows, &centre](size_t first, size_t n, double* block, size_t ld) {
    if (rows.is_sparse()) {
      unpack_transposed(rows.sparse, first, n, block, ld);
    } else {
      const double* none = nullptr;
      if (!pack_panel(rows.x.transposed(), first, n, none, block, ld)) throw NotFinite("Input X");
    }
    for (size_t i = 0; i < rows.x.rows; ++i) {
      const double root = root_weight(rows, i);
      for (size_t j = 0; j < n; ++j)
        block[i * ld + j] = subtract(block[i * ld + j], centre[first + j]) * root;
    }
  };
}

// X Xᵀ of the centred, weighted rows, upper triangle, n × n, from blocks of features (pack_transposed).
AlignedBuffer<double> dual_gram(const PackBlock& pack, size_t n, size_t d);

}  // namespace maas
