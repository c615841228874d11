#include "maas/nn/parameter.h"

#include <algorithm>

#include "maas/base/view.h"
#include "maas/kernels/packed_matrix.h"
#include "maas/nn/batch_matrix.h"

namespace maas {

namespace {

// K and N of a packed parameter.
struct Sides {
  explicit Sides(const ParameterSpec& spec)
      : rows(static_cast<size_t>(spec.shape[spec.transposed ? 1 : 0])),
        cols(static_cast<size_t>(spec.shape[spec.transposed ? 0 : 1])) {}
  size_t rows, cols;
};

template <class T>
constexpr size_t whole_slivers(size_t values) {
  return (values + kSliver<T> - 1) / kSliver<T> * kSliver<T>;
}

template <class T>
MatrixView<T> row_major(const ParameterSpec& spec, const T* plain) {
  const Sides sides(spec);
  if (!spec.transposed) return {plain, sides.rows, sides.cols, static_cast<ptrdiff_t>(sides.cols), 1};
  return {plain, sides.rows, sides.cols, 1, static_cast<ptrdiff_t>(sides.rows)};
}

}  // namespace

template <class T>
size_t stored_values(const ParameterSpec& spec) {
  if (spec.layout == Layout::kPlain) return whole_slivers<T>(elements(spec.shape));
  const Sides sides(spec);
  if (sides.cols < kNarrowCols) return sides.cols * narrow_stride<T>(sides.rows);
  return sides.rows * whole_slivers<T>(sides.cols);
}

template <class T>
PaddedRows padded_rows(const ParameterSpec& spec) {
  constexpr size_t kLeast = 8 * 64 / sizeof(T);  // fewer values are quicker done than left out
  if (spec.layout == Layout::kPlain) return {};
  const Sides sides(spec);
  const bool narrow = sides.cols < kNarrowCols;
  const size_t stride = narrow ? narrow_stride<T>(sides.rows) : kSliver<T>;
  const size_t used = row_stride<T>(narrow ? sides.rows : sides.cols % kSliver<T>);
  const size_t rows = narrow ? sides.cols : sides.rows;
  if (used == 0 || rows * (stride - used) < kLeast) return {};
  return {narrow ? 0 : sides.cols / kSliver<T> * kSliver<T> * sides.rows, used, stride};
}

template <class T>
void store_parameter(const ParameterSpec& spec, const T* plain, T* stored) {
  if (spec.layout == Layout::kPlain) {
    const size_t size = elements(spec.shape);
    for (size_t i = 0; i < size; ++i) stored[i] = load_unaligned(plain + i);
    std::fill(stored + size, stored + stored_values<T>(spec), T{0});
    return;
  }
  const MatrixView<T> from = row_major(spec, plain);
  if (from.cols < kNarrowCols) return pack_narrow(from, stored);
  for (size_t col = 0; col < from.cols; col += kSliver<T>) {
    const size_t cols = std::min(kSliver<T>, from.cols - col);
    pack_sliver({from.at(0, col), from.rows, cols, from.row_stride, from.col_stride}, false,
                stored + col * from.rows);
  }
}

template <class T>
void load_parameter(const ParameterSpec& spec, const T* stored, T* plain) {
  if (spec.layout == Layout::kPlain) {
    std::memcpy(plain, stored, elements(spec.shape) * sizeof(T));
    return;
  }
  const MatrixView<T> to = row_major<T>(spec, plain);
  const auto at = [&](size_t k, size_t j) { return const_cast<T*>(to.at(k, j)); };
  if (to.cols < kNarrowCols) {
    for (size_t j = 0; j < to.cols; ++j, stored += narrow_stride<T>(to.rows)) {
      for (size_t k = 0; k < to.rows; ++k) std::memcpy(at(k, j), stored + k, sizeof(T));
    }
    return;
  }
  for (size_t col = 0; col < to.cols; col += kSliver<T>) {
    const size_t cols = std::min(kSliver<T>, to.cols - col);
    for (size_t k = 0; k < to.rows; ++k, stored += kSliver<T>) {
      if (!spec.transposed) {
        std::memcpy(at(k, col), stored, cols * sizeof(T));
        continue;
      }
      for (size_t j = 0; j < cols; ++j) std::memcpy(at(k, col + j), stored + j, sizeof(T));
    }
  }
}

template size_t stored_values<float>(const ParameterSpec& spec);
template size_t stored_values<double>(const ParameterSpec& spec);
template PaddedRows padded_rows<float>(const ParameterSpec& spec);
template PaddedRows padded_rows<double>(const ParameterSpec& spec);
template void store_parameter(const ParameterSpec& spec, const float* plain, float* stored);
template void store_parameter(const ParameterSpec& spec, const double* plain, double* stored);
template void load_parameter(const ParameterSpec& spec, const float* stored, float* plain);
template void load_parameter(const ParameterSpec& spec, const double* stored, double* plain);

}  // namespace maas
