#include "maas/nn/norm_layer.h"

#include <algorithm>
#include <cmath>

#include "maas/base/shards.h"
#include "maas/base/thread_pool.h"
#include "maas/kernels/norm_gradient.h"

namespace maas {
namespace {

constexpr size_t kTaskValues = size_t{1} << 16;  // about 20 µs of a normalisation
constexpr size_t kMaxRowTasks = 16;

// Columns of all rows, in blocks of whole 64 bytes; a column's result does not depend on its block.
template <class T, class Fn>
void for_column_blocks(size_t rows, size_t cols, Fn fn) {
  const Shards blocks{cols, row_stride<T>(std::max<size_t>(1, kTaskValues / std::max<size_t>(1, rows)))};
  parallel_for(blocks.count(), [&](size_t block, int) { fn(blocks.begin(block), blocks.end(block)); });
}

Shards row_blocks(size_t rows, size_t cols) {
  return make_shards(rows, std::max<size_t>(1, kTaskValues / std::max<size_t>(1, cols)), kMaxRowTasks);
}

template <class T, class Fn>
void for_row_blocks(const BatchMatrix<T>& of, Fn fn) {
  const Shards blocks = row_blocks(of.rows, of.cols);
  parallel_for(blocks.count(), [&](size_t block, int) { fn(block, blocks.begin(block), blocks.end(block)); });
}

template <class T>
void set_gradient(const Parameter<T>& parameter, const T* sum, size_t begin, size_t end, bool accumulate) {
  if (!parameter.gradient) return;
  for (size_t j = begin; j < end; ++j) {
    parameter.gradient[j] = accumulate ? parameter.gradient[j] + sum[j] : sum[j];
  }
}

// The values of a parameter, or `value` for each column where there is none.
template <class T>
const T* values_or(const Parameter<T>& parameter, T value, T* work, size_t begin, size_t end) {
  if (parameter) return parameter.value;
  std::fill(work + begin, work + end, value);
  return work;
}

// Vectors of one value a column, one after another.
template <class T>
struct ColumnVectors {
  T* data;
  size_t stride;
  T* operator[](size_t i) const { return data + i * stride; }
};

template <class T>
NormRows<T> rows_of(const LayerPass<T>& pass, size_t first_row, size_t rows, size_t begin, size_t end) {
  const size_t at = first_row * pass.in.ld() + begin;
  const T* dy = pass.out_gradient ? pass.out_gradient.data + at : nullptr;
  return {pass.in.data + at, dy, rows, end - begin, pass.in.ld()};
}

}  // namespace

template <class T>
size_t BatchNormLayer<T>::kept_values(size_t, SampleShape) const {
  return 2 * row_stride<T>(cols_);  // mean, deviation
}

template <class T>
size_t BatchNormLayer<T>::work_values(size_t, SampleShape) const {
  return 5 * row_stride<T>(cols_);
}

template <class T>
void BatchNormLayer<T>::forward_columns(const LayerPass<T>& pass, size_t begin, size_t end) const {
  const ColumnVectors<T> kept{pass.kept, row_stride<T>(cols_)}, work{pass.work, kept.stride};
  T *mean = kept[0], *deviation = kept[1], *variance = work[0];
  const size_t rows = pass.in.rows;
  find_norm_gradients<T>().moments(rows_of(pass, 0, rows, begin, end), mean + begin, variance + begin);
  for (size_t j = begin; j < end; ++j) {
    if (!std::isfinite(mean[j]) || !std::isfinite(variance[j])) continue;
    T &moving_mean = parameters_.mean.value[j], &moving_variance = parameters_.variance.value[j];
    moving_mean = moving_mean * momentum_ + mean[j] * (1 - momentum_);
    moving_variance = moving_variance * momentum_ + variance[j] * (1 - momentum_);
  }
  norm_deviation(variance + begin, end - begin, epsilon_, deviation + begin);
  const T* scale = values_or(parameters_.scale, T(1), work[1], begin, end);
  const T* shift = values_or(parameters_.shift, T(0), work[2], begin, end);
  const BatchNorm<T> by{mean + begin, deviation + begin, scale + begin, shift + begin};
  find_norms<T>().batch(by, pass.in.data + begin, rows, end - begin, pass.in.ld(), pass.out.data + begin,
                        pass.out.ld());
}

template <class T>
void BatchNormLayer<T>::forward(const LayerPass<T>& pass) const {
  if (pass.in.rows == 0) return;
  for_column_blocks<T>(pass.in.rows, cols_,
                       [&](size_t begin, size_t end) { forward_columns(pass, begin, end); });
}

// With n = (x - mean) / deviation: dx = (scale / deviation) (dy - mean of dy - n × mean of dy n).
template <class T>
void BatchNormLayer<T>::backward_columns(const LayerPass<T>& pass, size_t begin, size_t end) const {
  const ColumnVectors<T> kept{pass.kept, row_stride<T>(cols_)}, work{pass.work, kept.stride};
  const T *mean = kept[0], *deviation = kept[1];
  T *sum = work[0], *product = work[1], *by_dy = work[2], *by_x = work[3], *shift = work[4];
  const NormRows<T> of = rows_of(pass, 0, pass.in.rows, begin, end);
  const NormGradientFns<T> fns = find_norm_gradients<T>();
  fns.batch_sums(of, mean + begin, deviation + begin, sum + begin, product + begin);
  set_gradient(parameters_.scale, product, begin, end, pass.accumulate);
  set_gradient(parameters_.shift, sum, begin, end, pass.accumulate);
  if (!pass.in_gradient) return;
  const T count = static_cast<T>(of.rows);
  for (size_t j = begin; j < end; ++j) {
    by_dy[j] = (parameters_.scale ? parameters_.scale.value[j] : T(1)) / deviation[j];
    by_x[j] = -by_dy[j] * (product[j] / count) / deviation[j];
    shift[j] = -by_dy[j] * (sum[j] / count);
  }
  fns.batch_input(of, {mean + begin, by_dy + begin, by_x + begin, shift + begin},
                  pass.in_gradient.data + begin);
}

template <class T>
void BatchNormLayer<T>::backward(const LayerPass<T>& pass) const {
  for_column_blocks<T>(pass.in.rows, cols_,
                       [&](size_t begin, size_t end) { backward_columns(pass, begin, end); });
}

template <class T>
size_t LayerNormLayer<T>::work_values(size_t samples, SampleShape input) const {
  // Backward: mean and inverse deviation of each row, two sums of each column, a row for each task, ones.
  return 2 * row_stride<T>(samples * input.positions) + (3 + kMaxRowTasks) * row_stride<T>(cols_);
}

template <class T>
void LayerNormLayer<T>::forward(const LayerPass<T>& pass) const {
  const T* scale = values_or(scale_, T(1), pass.work, 0, cols_);
  const NormFns<T> fns = find_norms<T>();
  for_row_blocks(pass.in, [&](size_t, size_t begin, size_t end) {
    const bool contiguous = pass.in.ld() == cols_;
    const size_t rows = contiguous ? end - begin : 1;
    for (size_t i = begin; i < end; i += rows) {
      fns.layer(pass.in.row(i), rows, cols_, scale, shift_.value, epsilon_, pass.out.row(i));
    }
  });
}

template <class T>
void LayerNormLayer<T>::backward(const LayerPass<T>& pass) const {
  const size_t rows = pass.in.rows, stride = row_stride<T>(cols_), row_values = row_stride<T>(rows);
  T *mean = pass.work, *inverse = mean + row_values;
  const ColumnVectors<T> columns{inverse + row_values, stride};
  T *sum = columns[0], *product = columns[1], *centred = columns[3];
  const T* scale = values_or(scale_, T(1), columns[2], 0, cols_);
  const NormGradientFns<T> fns = find_norm_gradients<T>();
  for_row_blocks(pass.in, [&](size_t block, size_t begin, size_t end) {
    fns.layer_rows(rows_of(pass, begin, end - begin, 0, cols_), scale, epsilon_, centred + block * stride,
                   mean + begin, inverse + begin, pass.in_gradient ? pass.in_gradient.row(begin) : nullptr);
  });
  if (!scale_.gradient && !shift_.gradient) return;
  for_column_blocks<T>(rows, cols_, [&](size_t begin, size_t end) {
    fns.layer_sums(rows_of(pass, 0, rows, begin, end), mean, inverse, sum + begin, product + begin);
    set_gradient(scale_, product, begin, end, pass.accumulate);
    set_gradient(shift_, sum, begin, end, pass.accumulate);
  });
}

template <class T>
void FeatureScaleLayer<T>::forward(const LayerPass<T>& pass) const {
  const NormFns<T> fns = find_norms<T>();
  for_row_blocks(pass.in, [&](size_t, size_t begin, size_t end) {
    fns.scale(by_, pass.in.row(begin), end - begin, pass.in.cols, pass.in.ld(), pass.out.row(begin),
              pass.out.ld());
  });
}

template <class T>
void FeatureScaleLayer<T>::backward(const LayerPass<T>& pass) const {
  if (!pass.in_gradient) return;
  const NormGradientFns<T> fns = find_norm_gradients<T>();
  for_row_blocks(pass.in_gradient, [&](size_t, size_t begin, size_t end) {
    const BatchMatrix<T>& dy = pass.out_gradient;
    fns.scale({nullptr, dy.row(begin), end - begin, dy.cols, dy.ld()}, by_, pass.in_gradient.row(begin));
  });
}

template class BatchNormLayer<float>;
template class BatchNormLayer<double>;
template class LayerNormLayer<float>;
template class LayerNormLayer<double>;
template class FeatureScaleLayer<float>;
template class FeatureScaleLayer<double>;

}  // namespace maas
