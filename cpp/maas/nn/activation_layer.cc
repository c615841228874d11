#include "maas/nn/activation_layer.h"

#include <algorithm>

#include "maas/base/thread_pool.h"
#include "maas/kernels/activation_gradient.h"
#include "maas/kernels/softmax.h"
#include "maas/kernels/softmax_gradient.h"

namespace maas {

namespace {

// Values of one task: some ten microseconds of the cheapest map.
constexpr size_t kTaskValues = 32768;

// fn(first, count) for blocks of rows, on the pool where there is more than one.
template <class T, class Fn>
void for_row_blocks(const BatchMatrix<T>& like, Fn fn) {
  if (like.rows == 0 || like.cols == 0) return;
  const size_t block = std::max<size_t>(1, kTaskValues / like.ld());
  if (like.rows <= block) return fn(0, like.rows);
  parallel_for((like.rows + block - 1) / block, [&](size_t task, int) {
    const size_t first = task * block;
    fn(first, std::min(block, like.rows - first));
  });
}

}  // namespace

// Whole rows, what only fills them included.
template <class T>
void MapLayer<T>::forward(const LayerPass<T>& pass) const {
  const MapFn<T> map = find_map<T>(op_);
  for_row_blocks(pass.in, [&](size_t first, size_t rows) {
    map(rows * pass.in.ld(), pass.in.row(first), nullptr, pass.out.row(first), p_, q_);
  });
}

template <class T>
void MapLayer<T>::backward(const LayerPass<T>& pass) const {
  if (!pass.in_gradient) return;
  const MapFn<T> gradient = find_activation_gradient<T>(op_);
  const BatchMatrix<T>& value = gradient_from_output(op_) ? pass.out : pass.in;
  for_row_blocks(value, [&](size_t first, size_t rows) {
    gradient(rows * value.ld(), value.row(first), pass.out_gradient.row(first), pass.in_gradient.row(first),
             p_, q_);
  });
}

template <class T>
void SoftmaxLayer<T>::forward(const LayerPass<T>& pass) const {
  const size_t ld = pass.in.ld();
  const RowsFn<T> softmax = find_rows<T>();
  for_row_blocks(pass.in, [&](size_t first, size_t rows) {
    softmax(RowOp::kSoftmax, pass.in.row(first), rows, pass.in.cols, ld, pass.out.row(first), ld);
  });
}

template <class T>
void SoftmaxLayer<T>::backward(const LayerPass<T>& pass) const {
  if (!pass.in_gradient) return;
  for_row_blocks(pass.out, [&](size_t first, size_t rows) {
    softmax_gradient(pass.out.row(first), pass.out_gradient.row(first), rows, pass.out.cols, pass.out.ld(),
                     pass.in_gradient.row(first));
  });
}

template class MapLayer<float>;
template class MapLayer<double>;
template class SoftmaxLayer<float>;
template class SoftmaxLayer<double>;

}  // namespace maas
