// Derivatives of the activations of kernels/elementwise.h. Contiguous arrays, any alignment, one thread.
#pragma once

#include <cstddef>

#include "maas/kernels/elementwise.h"

namespace maas {

// Whether the derivative follows from the activation's output: then `value` below is that output, and nobody
// need keep the input. Relu (0 at 0), LeakyRelu, Elu, Selu, Celu, Sigmoid, Tanh, Softplus, Exp; the slopes p
// and q below 0 must not be negative.
bool gradient_from_output(MapOp op);
// Those, and Gelu, GeluTanh, Silu, Softsign, HardSigmoid, HardSwish, Mish, ThresholdedRelu, Clip, for which
// `value` is the input.
bool has_gradient(MapOp op);

// out[i] = dy[i] × the derivative at value[i]; `out` may be `dy` or `value`. p and q as in map_arrays.
void activation_gradient(MapOp op, size_t n, const float* value, const float* dy, float* out, float p = 0,
                         float q = 0);
void activation_gradient(MapOp op, size_t n, const double* value, const double* dy, double* out, double p = 0,
                         double q = 0);

// The same function looked up once, for the SIMD target active now; null where !has_gradient(op). Called as
// (n, value, dy, out, p, q).
template <class T>
MapFn<T> find_activation_gradient(MapOp op);
template <>
MapFn<float> find_activation_gradient(MapOp op);
template <>
MapFn<double> find_activation_gradient(MapOp op);

}  // namespace maas
