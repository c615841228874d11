// What training adds to kernels/norm.h: moments of columns, and the gradients of the normalisations. Rows
// begin on 64 bytes, so `ld` is a multiple of that; whole vectors are read and written, so arrays of `cols`
// values have room up to the next 64 bytes. Values there reach no other column. Column sums are one chain
// over the rows, in double for either type. One thread.
#pragma once

#include <cstddef>

#include "maas/kernels/norm.h"

namespace maas {

// Input of a normalisation and the gradient of its output, laid out alike.
template <class T>
struct NormRows {
  const T* x = nullptr;
  const T* dy = nullptr;
  size_t rows = 0, cols = 0, ld = 0;
};

// The gradient of a batch norm's input: dy by_dy + (x - mean) by_x + shift, each of one value a column.
template <class T>
struct BatchNormSlope {
  const T* mean = nullptr;
  const T* by_dy = nullptr;
  const T* by_x = nullptr;
  const T* shift = nullptr;
};

// The functions for the SIMD target active at the look-up.
template <class T>
struct NormGradientFns {
  // Mean and biased variance of each column: squares are taken about the mean (two passes), and what the
  // mean's rounding leaves is corrected, so that an offset costs no digits. rows > 0; no dy.
  void (*moments)(const NormRows<T>& of, T* mean, T* variance);
  // sum[j] = sum over i of dy(i, j), product[j] of dy(i, j) ((x(i, j) - mean[j]) / deviation[j]).
  void (*batch_sums)(const NormRows<T>& of, const T* mean, const T* deviation, T* sum, T* product);
  void (*batch_input)(const NormRows<T>& of, const BatchNormSlope<T>& slope, T* out);

  // Of each row: mean[i], inverse[i] = 1 / sqrt(variance + epsilon), one value a row, and the gradient of the
  // row x(i, :), unless `out` is null. `centred` holds one row for the time of the call.
  void (*layer_rows)(const NormRows<T>& of, const T* scale, T epsilon, T* centred, T* mean, T* inverse,
                     T* out);
  // batch_sums with the mean and inverse deviation of each row.
  void (*layer_sums)(const NormRows<T>& of, const T* mean, const T* inverse, T* sum, T* product);

  // dy scale or dy / scale, to `out`.
  void (*scale)(const NormRows<T>& of, const FeatureScale<T>& by, T* out);
};
template <class T>
NormGradientFns<T> find_norm_gradients();
template <>
NormGradientFns<float> find_norm_gradients();
template <>
NormGradientFns<double> find_norm_gradients();

}  // namespace maas
