#include "maas/nn/reshape_layer.h"

#include <algorithm>
#include <cstring>

namespace maas {

namespace {

// The values of `from` in order, row after row, into those of `to`.
template <class T>
void copy_values(BatchMatrix<T> from, BatchMatrix<T> to) {
  size_t row = 0, col = 0;  // in `to`
  for (size_t i = 0; i < from.rows; ++i) {
    for (size_t j = 0; j < from.cols;) {
      const size_t count = std::min(from.cols - j, to.cols - col);
      std::memcpy(to.row(row) + col, from.row(i) + j, count * sizeof(T));
      j += count;
      col += count;
      if (col == to.cols) {
        col = 0;
        ++row;
      }
    }
  }
}

}  // namespace

template <class T>
void ReshapeLayer<T>::forward(const LayerPass<T>& pass) const {
  copy_values(pass.in, pass.out);
}

template <class T>
void ReshapeLayer<T>::backward(const LayerPass<T>& pass) const {
  if (pass.in_gradient) copy_values(pass.out_gradient, pass.in_gradient);
}

template class ReshapeLayer<float>;
template class ReshapeLayer<double>;

}  // namespace maas
