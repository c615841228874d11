// Derivatives of the activations of kernels/elementwise.h. Contiguous arrays, any alignment, one thread.
#pragma once

#include <cstddef>

#include "maas/kernels/elementwise.h"

namespace maas {

// Whether the derivative follows from the activation's output: then `value` below is that output, and nobody
// need keep the input. Relu (0 at 0), LeakyRelu, Elu, Selu, Sigmoid, Tanh, Softplus.
bool gradient_from_output(MapOp op);
// The others known: Gelu, GeluTanh, Silu, Softsign, HardSigmoid, Mish, ... Here `value` is the input.
bool has_gradient(MapOp op);

// out[i] = dy[i] × the derivative at value[i]; `out` may be `dy`. p and q as in map_arrays.
void activation_gradient(MapOp op, size_t n, const float* value, const float* dy, float* out, float p = 0,
                         float q = 0);
void activation_gradient(MapOp op, size_t n, const double* value, const double* dy, double* out, double p = 0,
                         double q = 0);

}  // namespace maas
