#include "maas/linear/column_shift.h"

#include <algorithm>
#include <cmath>

namespace maas {

template <class T>
std::vector<double> middle_of_columns(const MatrixView<T>& x) {
  std::vector<double> middle(x.cols, 0.0);
  if (x.rows == 0) return middle;
  const size_t stride = std::max<size_t>(1, x.rows / 256);
  const double count = static_cast<double>((x.rows + stride - 1) / stride);
  // About the first row, so that the middle of a constant column is that constant.
  for (size_t i = 0; i < x.rows; i += stride) {
    for (size_t j = 0; j < x.cols; ++j)
      middle[j] += static_cast<double>(x(i, j)) - static_cast<double>(x(0, j));
  }
  for (size_t j = 0; j < x.cols; ++j) middle[j] = static_cast<double>(x(0, j)) + middle[j] / count;
  for (double& m : middle) m = std::isfinite(m) ? static_cast<double>(static_cast<T>(m)) : 0.0;
  return middle;
}

template std::vector<double> middle_of_columns(const MatrixView<float>&);
template std::vector<double> middle_of_columns(const MatrixView<double>&);

}  // namespace maas
