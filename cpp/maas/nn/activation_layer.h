// Activations on their own: maps of single values, and softmax over the columns.
#pragma once

#include "maas/kernels/elementwise.h"
#include "maas/nn/layer.h"

namespace maas {

// Any activation of MapOp that kernels/activation_gradient.h knows.
template <class T>
class MapLayer final : public Layer<T> {
 public:
  MapLayer(MapOp op, T p, T q) : op_(op), p_(p), q_(q) {}
  void forward(const LayerPass<T>& pass) const override;
  void backward(const LayerPass<T>& pass) const override;
  SampleShape output(SampleShape input) const override { return input; }

 private:
  MapOp op_;
  T p_, q_;
};

template <class T>
class SoftmaxLayer final : public Layer<T> {
 public:
  void forward(const LayerPass<T>& pass) const override;
  void backward(const LayerPass<T>& pass) const override;
  SampleShape output(SampleShape input) const override { return input; }
};

extern template class MapLayer<float>;
extern template class MapLayer<double>;
extern template class SoftmaxLayer<float>;
extern template class SoftmaxLayer<double>;

}  // namespace maas
