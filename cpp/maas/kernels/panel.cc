#include "maas/kernels/panel.h"

#include <cmath>

namespace maas {
namespace {
template <class T, class Out>
bool pack(MatrixView<T> x, size_t row_begin, size_t rows, const Out* shift, Out* dst, size_t ld) {
  bool finite = true;
  for (size_t j = 0; j < x.cols; ++j) {
    for (size_t i = 0; i < rows; ++i) {
      const Out v = static_cast<Out>(x(row_begin + i, j));
      finite &= std::isfinite(v);
      dst[j * ld + i] = shift ? v - shift[j] : v;
    }
    for (size_t i = rows; i < ld; ++i) dst[j * ld + i] = 0;
  }
  return finite;
}
}  // namespace
bool pack_panel(MatrixView<float> x, size_t b, size_t n, const float* s, float* d, size_t ld) { return pack(x, b, n, s, d, ld); }
bool pack_panel(MatrixView<double> x, size_t b, size_t n, const double* s, double* d, size_t ld) { return pack(x, b, n, s, d, ld); }
bool pack_panel(MatrixView<float> x, size_t b, size_t n, const double* s, double* d, size_t ld) { return pack(x, b, n, s, d, ld); }
}  // namespace maas
