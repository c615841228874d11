// Weights being trained: where they and their gradients lie in the arena, and how.
#pragma once

#include <cstddef>
#include <string>

#include "maas/graph/shape.h"

namespace maas {

// kPacked: a K × N matrix laid out as PackedMatrix (maas/kernels/packed_matrix.h) has it, so that products
// need no copy of it; values that only pad are zero and stay zero. kPlain: row-major, then zeros up to 256
// bytes, which is a whole sliver.
enum class Layout { kPlain, kPacked };

struct ParameterSpec {
  std::string name;  // of the graph's initializer
  Shape shape;
  Layout layout = Layout::kPlain;
  bool transposed = false;  // kPacked of an initializer that is N × K (Gemm's transB)
  bool trainable = true;
  double l1 = 0, l2 = 0;  // the penalty l1 sum|w| + l2 sum w²
  bool decays = true;     // decoupled weight decay acts on it
};

// As a layer sees one. Both on 64 bytes, `stored_values` long, and laid out alike.
template <class T>
struct Parameter {
  T* value = nullptr;     // null: the layer has none (no bias)
  T* gradient = nullptr;  // null: not wanted

  explicit operator bool() const { return value != nullptr; }
};

// Values in the arena, padding included, a multiple of 256 bytes.
template <class T>
size_t stored_values(const ParameterSpec& spec);

// Where padding is worth leaving out of work on the arena: from `begin` on only the first `used` of each
// `stride` values are not padding (rounded up to 64 bytes). stride 0: nowhere.
struct PaddedRows {
  size_t begin = 0, used = 0, stride = 0;
};
template <class T>
PaddedRows padded_rows(const ParameterSpec& spec);

// Between row-major values (any alignment) and the arena. `store` zeroes the padding.
template <class T>
void store_parameter(const ParameterSpec& spec, const T* plain, T* stored);
template <class T>
void load_parameter(const ParameterSpec& spec, const T* stored, T* plain);

extern template size_t stored_values<float>(const ParameterSpec& spec);
extern template size_t stored_values<double>(const ParameterSpec& spec);
extern template PaddedRows padded_rows<float>(const ParameterSpec& spec);
extern template PaddedRows padded_rows<double>(const ParameterSpec& spec);
extern template void store_parameter(const ParameterSpec& spec, const float* plain, float* stored);
extern template void store_parameter(const ParameterSpec& spec, const double* plain, double* stored);
extern template void load_parameter(const ParameterSpec& spec, const float* stored, float* plain);
extern template void load_parameter(const ParameterSpec& spec, const double* stored, double* plain);

}  // namespace maas
