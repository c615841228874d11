// Residuals of the logistic loss for a stack of margins that share their rows: what a gradient needs, without
// the loss values and their logarithms.
#pragma once

#include <cstddef>

namespace maas {

// residual[o * ld + i] = weight[i] (sigmoid(z[o * ld + i]) - y[i]) for o < outputs, with y in {0, 1}; the
// same bits as loss_rows. ld counts padded rows (a multiple of kPanelPad); `weight` may be null where all of
// them are real and count 1, else padding rows must weigh 0. residual may be z itself.
void logistic_residuals(const float* z, size_t ld, size_t outputs, const float* y, const float* weight,
                        float* residual);
void logistic_residuals(const double* z, size_t ld, size_t outputs, const double* y, const double* weight,
                        double* residual);

}  // namespace maas
