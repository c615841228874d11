// Non-owning views. Strides count elements and may be negative; data may be unaligned, so vector code uses
// unaligned loads and scalar code goes through load_unaligned().
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>

namespace maas {

template <class T>
inline T load_unaligned(const T* p) {
  T value;
  std::memcpy(&value, p, sizeof(T));
  return value;
}

template <class T>
struct VectorView {
  const T* data = nullptr;
  size_t size = 0;
  ptrdiff_t stride = 1;

  T operator[](size_t i) const { return load_unaligned(data + static_cast<ptrdiff_t>(i) * stride); }
  explicit operator bool() const { return data != nullptr; }
};

template <class T>
struct MatrixView {
  const T* data = nullptr;
  size_t rows = 0;
  size_t cols = 0;
  ptrdiff_t row_stride = 0;
  ptrdiff_t col_stride = 1;

  const T* at(size_t i, size_t j) const {
    return data + static_cast<ptrdiff_t>(i) * row_stride + static_cast<ptrdiff_t>(j) * col_stride;
  }
  T operator()(size_t i, size_t j) const { return load_unaligned(at(i, j)); }
  MatrixView transposed() const { return {data, cols, rows, col_stride, row_stride}; }
  MatrixView row_range(size_t begin, size_t end) const {
    return {at(begin, 0), end - begin, cols, row_stride, col_stride};
  }
};

}  // namespace maas
