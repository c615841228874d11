// Reshape and Flatten where rows that begin on 64 bytes must move: between layouts padded otherwise.
#pragma once

#include "maas/nn/layer.h"

namespace maas {

template <class T>
class ReshapeLayer final : public Layer<T> {
 public:
  explicit ReshapeLayer(SampleShape to) : to_(to) {}
  void forward(const LayerPass<T>& pass) const override;
  void backward(const LayerPass<T>& pass) const override;
  SampleShape output(SampleShape) const override { return to_; }

 private:
  SampleShape to_;
};

// Whether a batch of one shape is laid out as a batch of the other, of as many values.
template <class T>
bool same_layout(SampleShape a, SampleShape b) {
  return a.positions == b.positions || (row_stride<T>(a.cols) == a.cols && row_stride<T>(b.cols) == b.cols);
}

extern template class ReshapeLayer<float>;
extern template class ReshapeLayer<double>;

}  // namespace maas
