// A batch that owns its memory, for tests of layers and losses; what lies between cols and ld is as asked.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <random>
#include <vector>

#include "maas/base/aligned.h"
#include "maas/nn/batch_matrix.h"

namespace maas::test {

template <class T>
class Batch {
 public:
  Batch(size_t rows, size_t cols, T padding = std::numeric_limits<T>::quiet_NaN())
      : values_(rows * row_stride<T>(cols) + 1, padding) {
    matrix_ = {values_.data(), rows, cols};
    for (size_t i = 0; i < rows; ++i) std::fill_n(matrix_.row(i), cols, T(0));
  }
  // fn(i, j) -> value
  template <class Fn>
  Batch& fill(Fn fn) {
    for (size_t i = 0; i < matrix_.rows; ++i) {
      for (size_t j = 0; j < matrix_.cols; ++j) matrix_.row(i)[j] = static_cast<T>(fn(i, j));
    }
    return *this;
  }
  Batch& random(uint64_t seed, double scale = 2) {
    std::mt19937_64 bits(seed);
    return fill([&](size_t, size_t) {
      return scale * (std::ldexp(static_cast<double>(bits() >> 11), -53) - 0.5) * 2;
    });
  }

  BatchMatrix<T> matrix() const { return matrix_; }
  BatchMatrix<const T> view() const { return {matrix_.data, matrix_.rows, matrix_.cols}; }
  T& operator()(size_t i, size_t j) { return matrix_.row(i)[j]; }
  T operator()(size_t i, size_t j) const { return matrix_.row(i)[j]; }
  // Row-major, without padding.
  std::vector<T> plain() const {
    std::vector<T> out;
    for (size_t i = 0; i < matrix_.rows; ++i) {
      out.insert(out.end(), matrix_.row(i), matrix_.row(i) + matrix_.cols);
    }
    return out;
  }

 private:
  AlignedBuffer<T> values_;
  BatchMatrix<T> matrix_;
};

}  // namespace maas::test
