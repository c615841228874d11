// One step of an optimizer over contiguous weights: every array is read once and written once. Formulas are
// Keras 3's. Any alignment; one thread; nothing past the arrays is touched.
// Floor for Adam in float32: 28 bytes of memory a weight, or one division and one square root in cache.
#pragma once

#include <cstddef>
#include <limits>

namespace maas {

// The state vectors (slots) of each rule are named here in the order they lie in.
enum class UpdateRule {
  kSgd,                      // none
  kMomentum,                 // momentum
  kNesterov,                 // momentum
  kAdam,                     // momentum, velocity
  kAmsgrad,                  // momentum, velocity, velocity_hat
  kRmsprop,                  // velocity
  kRmspropMomentum,          // velocity, momentum
  kRmspropCentered,          // velocity, average_gradient
  kRmspropCenteredMomentum,  // velocity, momentum, average_gradient
  kAdagrad,                  // accumulator
};

// Constants of one step, each rounded once from float64.
template <class T>
struct UpdateStep {
  T rate = 0;         // learning rate; Adam: with both bias corrections
  T momentum = 0;     // SGD, RMSprop
  T take_first = 0;   // Adam: 1 - beta_1
  T keep_second = 0;  // RMSprop: rho
  T take_second = 0;  // Adam: 1 - beta_2; RMSprop: 1 - rho
  T epsilon = 0;      // > 0: weights without gradient and state stay as they are
  // What is done to gradients first, and to weights: g = clip(scale g), w -= decay w.
  T scale = 1;
  T limit = std::numeric_limits<T>::infinity();
  T decay = 0;

  bool plain() const { return scale == 1 && limit == std::numeric_limits<T>::infinity() && decay == 0; }
};

// `rows` stretches of `n` weights, each `stride` values after the one before; what lies between is left
// alone.
struct UpdateRows {
  size_t rows = 1, n = 0, stride = 0;
};

// Slot k of weight i is slots[k * slot_stride + i]. Decaying state smaller than the least normal number is
// set to zero: arithmetic with subnormals is slow on many CPUs, and dead units would keep them for ever.
template <class T>
using UpdateFn = void (*)(const UpdateStep<T>& step, const UpdateRows& rows, T* values, const T* gradients,
                          T* slots, size_t slot_stride);

// For the SIMD target active now. `plain`: only for steps that are.
template <class T>
UpdateFn<T> find_update(UpdateRule rule, bool plain);
template <>
UpdateFn<float> find_update(UpdateRule rule, bool plain);
template <>
UpdateFn<double> find_update(UpdateRule rule, bool plain);

// gradients[i] += l1 sign(values[i]) + 2 l2 values[i], where sign(0) = 0.
void add_penalty_gradient(size_t n, const float* values, float l1, float l2, float* gradients);
void add_penalty_gradient(size_t n, const double* values, double l1, double l2, double* gradients);

}  // namespace maas
