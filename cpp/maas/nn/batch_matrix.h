// Values of one batch in the trainer's arena: a matrix whose rows begin on 64 bytes.
#pragma once

#include <cstddef>

namespace maas {

// Values from one row to the next: `cols` rounded up to 64 bytes, so that kernels may read and write whole
// vectors. What lies between cols and ld is unspecified, may even be NaN, and must never reach a result.
template <class T>
constexpr size_t row_stride(size_t cols) {
  constexpr size_t kWhole = 64 / sizeof(T);
  return (cols + kWhole - 1) / kWhole * kWhole;
}

template <class T>
struct BatchMatrix {
  T* data = nullptr;  // on 64 bytes; null: not wanted
  size_t rows = 0, cols = 0;

  size_t ld() const { return row_stride<T>(cols); }
  T* row(size_t i) const { return data + i * ld(); }
  explicit operator bool() const { return data != nullptr; }
};

}  // namespace maas
