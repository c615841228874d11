// Rows shifted and scaled: a Scaler's features, batch and layer normalisation. Every caller, fused or not,
// goes through these functions, so the bits are the same. Contiguous values in a row, any alignment; `out`
// may be x; NaNs come out canonical; nothing past the rows is touched. One thread.
#pragma once

#include <cstddef>

namespace maas {

// Values of one feature each, `cols` of them.
enum class ScaleBy { kMultiply, kDivide };
template <class T>
struct FeatureScale {
  const T* offset = nullptr;
  const T* scale = nullptr;  // null: no scaling at all
  ScaleBy by = ScaleBy::kMultiply;

  explicit operator bool() const { return scale != nullptr; }
};

// ((x - mean) / deviation) scale + shift, the last two in one fused operation.
template <class T>
struct BatchNorm {
  const T* mean = nullptr;
  const T* deviation = nullptr;  // sqrt(variance + epsilon), by norm_deviation; null: no normalisation
  const T* scale = nullptr;
  const T* shift = nullptr;

  explicit operator bool() const { return deviation != nullptr; }
};

// out[i] = sqrt(variance[i] + epsilon).
void norm_deviation(const float* variance, size_t n, float epsilon, float* out);
void norm_deviation(const double* variance, size_t n, double epsilon, double* out);

// The functions for the SIMD target active at the look-up.
template <class T>
struct NormFns {
  // Row i at x + i * ldx and out + i * ldo: (x - offset) scale or (x - offset) / scale, each rounded.
  void (*scale)(const FeatureScale<T>& by, const T* x, size_t rows, size_t cols, size_t ldx, T* out,
                size_t ldo);
  // The same with one channel a column.
  void (*batch)(const BatchNorm<T>& by, const T* x, size_t rows, size_t cols, size_t ldx, T* out, size_t ldo);
  // Contiguous rows of channels × inner values; the vectors of `by` hold one value a channel.
  void (*batch_channels)(const BatchNorm<T>& by, const T* x, size_t rows, size_t channels, size_t inner,
                         T* out);
  // Contiguous rows: ((x - mean) / sqrt(variance + epsilon)) scale + bias over each row, scale and bias of
  // `cols` values, bias may be null. Mean and variance by the fixed partial sums of kernels/sum-inl.h.
  void (*layer)(const T* x, size_t rows, size_t cols, const T* scale, const T* bias, T epsilon, T* out);
};
template <class T>
NormFns<T> find_norms();
template <>
NormFns<float> find_norms();
template <>
NormFns<double> find_norms();

}  // namespace maas
