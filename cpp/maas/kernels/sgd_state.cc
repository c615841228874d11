#include <cmath>
#include <cstring>

#include "maas/kernels/sgd.h"

namespace maas {

SgdState::SgdState(size_t columns, bool truncates, bool averages)
    : cols(columns), weights(sgd_padded(columns), 0.0) {
  if (truncates) truncated = AlignedBuffer<double>(sgd_padded(cols), 0.0);
  if (averages) average = AlignedBuffer<double>(sgd_padded(cols), 0.0);
}

void SgdState::set_weights(const double* w) {
  std::memcpy(weights.data(), w, cols * sizeof(double));
  scale = 1;
}

void SgdState::get_weights(double* w) const {
  for (size_t j = 0; j < cols; ++j) w[j] = scale * weights[j];
}

void SgdState::set_average(const double* w) {
  std::memcpy(average.data(), w, cols * sizeof(double));
  average_a = 0;
  average_b = 1;
}

void SgdState::get_average(double* w) const {
  for (size_t j = 0; j < cols; ++j) w[j] = (average[j] + average_a * weights[j]) / average_b;
}

bool SgdState::finite() const {
  double zero = scale * 0 + intercept * 0;
  for (size_t j = 0; j < cols; ++j) zero += weights[j] * 0;
  return zero == 0;
}

}  // namespace maas
