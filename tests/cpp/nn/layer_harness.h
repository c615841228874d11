// Runs one layer on a batch whose padding is full of NaNs, and checks its gradients by central differences.
#pragma once

#include <gtest/gtest.h>

#include <cmath>
#include <functional>
#include <limits>
#include <vector>

#include "maas/base/aligned.h"
#include "maas/nn/layer.h"

namespace maas::test {

// A fixed sequence without structure in [low, high).
inline double harness_value(size_t i, double low, double high) {
  return low + (high - low) * static_cast<double>((i + 1) * 2654435761u % 100003) / 100003;
}

// A batch in aligned memory, every value NaN until written, the padding for ever.
template <class T>
class PaddedBatch {
 public:
  PaddedBatch(size_t rows, size_t cols)
      : rows_(rows), cols_(cols), values_(rows * row_stride<T>(cols), std::numeric_limits<T>::quiet_NaN()) {}
  BatchMatrix<T> matrix() { return {values_.data(), rows_, cols_}; }
  void set(const std::vector<T>& plain) {
    for (size_t i = 0; i < rows_; ++i) std::copy_n(plain.data() + i * cols_, cols_, matrix().row(i));
  }
  std::vector<T> get() {
    std::vector<T> plain;
    for (size_t i = 0; i < rows_; ++i) plain.insert(plain.end(), matrix().row(i), matrix().row(i) + cols_);
    return plain;
  }

 private:
  size_t rows_, cols_;
  AlignedBuffer<T> values_;
};

// Values and gradients of a parameter; the padding after them must stay as it is.
template <class T>
class TestParameter {
 public:
  static constexpr T kMark = T(-77);
  explicit TestParameter(const std::vector<T>& values)
      : size_(values.size()), values_(padded(), kMark), gradients_(padded(), kMark) {
    std::copy(values.begin(), values.end(), values_.begin());
  }
  Parameter<T> get() { return {values_.data(), gradients_.data()}; }
  Parameter<T> frozen() { return {values_.data(), nullptr}; }
  std::vector<T> values() { return {values_.data(), values_.data() + size_}; }
  std::vector<T> gradients() { return {gradients_.data(), gradients_.data() + size_}; }
  T& operator[](size_t i) { return values_[i]; }
  size_t size() const { return size_; }
  void expect_padding_kept() {
    for (size_t i = size_; i < padded(); ++i) {
      EXPECT_EQ(values_[i], kMark);
      EXPECT_EQ(gradients_[i], kMark);
    }
  }

 private:
  size_t padded() const { return row_stride<T>(size_ + 1); }
  size_t size_;
  AlignedBuffer<T> values_, gradients_;
};

template <class T>
class LayerRun {
 public:
  LayerRun(const Layer<T>& layer, size_t samples, SampleShape shape)
      : layer_(layer),
        in_(samples * shape.positions, shape.cols),
        out_(samples * shape.positions, layer.output(shape).cols),
        out_gradient_(samples * shape.positions, layer.output(shape).cols),
        in_gradient_(samples * shape.positions, shape.cols),
        kept_(layer.kept_values(samples, shape), std::numeric_limits<T>::quiet_NaN()),
        work_(layer.work_values(samples, shape), std::numeric_limits<T>::quiet_NaN()) {}

  std::vector<T> forward(const std::vector<T>& x) {
    in_.set(x);
    layer_.forward(pass());
    return out_.get();
  }
  std::vector<T> backward(const std::vector<T>& dy, bool accumulate = false, bool want_input = true) {
    out_gradient_.set(dy);
    LayerPass<T> p = pass();
    p.accumulate = accumulate;
    if (!want_input) p.in_gradient.data = nullptr;
    layer_.backward(p);
    return want_input ? in_gradient_.get() : std::vector<T>();
  }

 private:
  LayerPass<T> pass() {
    LayerPass<T> p;
    p.in = in_.matrix(), p.out = out_.matrix();
    p.out_gradient = out_gradient_.matrix(), p.in_gradient = in_gradient_.matrix();
    p.kept = kept_.data(), p.work = work_.data();
    return p;
  }
  const Layer<T>& layer_;
  PaddedBatch<T> in_, out_, out_gradient_, in_gradient_;
  AlignedBuffer<T> kept_, work_;
};

// The derivative of Σ dy · forward() by `value`, which forward() reads.
inline double central_difference(double& value, const std::vector<double>& dy,
                                 const std::function<std::vector<double>()>& forward, double step = 1e-5) {
  const auto loss = [&] {
    const std::vector<double> y = forward();
    long double sum = 0;
    for (size_t i = 0; i < y.size(); ++i) sum += static_cast<long double>(dy[i]) * y[i];
    return sum;
  };
  const double kept = value;
  value = kept + step;
  const long double above = loss();
  value = kept - step;
  const long double below = loss();
  value = kept;
  return static_cast<double>((above - below) / (2 * static_cast<long double>(step)));
}

template <class T>
std::vector<T> harness_values(size_t n, double low, double high, size_t seed = 0) {
  std::vector<T> values(n);
  for (size_t i = 0; i < n; ++i) values[i] = static_cast<T>(harness_value(i + 1009 * seed, low, high));
  return values;
}

}  // namespace maas::test
