// Dense: out = activation(in · W + bias), for each position of a sample.
#pragma once

#include "maas/kernels/dense.h"
#include "maas/kernels/dense_gradient.h"
#include "maas/nn/layer.h"

namespace maas {

// The activation is none or a map whose derivative follows from its output (kernels/activation_gradient.h).
template <class T>
class DenseLayer final : public Layer<T> {
 public:
  // weights: inputs × units, Layout::kPacked. bias: units values, or none. Both stay where they are and are
  // read anew by each call.
  DenseLayer(size_t inputs, size_t units, Parameter<T> weights, Parameter<T> bias, Activation<T> activation);

  void forward(const LayerPass<T>& pass) const override;
  void backward(const LayerPass<T>& pass) const override;
  SampleShape output(SampleShape input) const override { return {input.positions, units_}; }
  size_t work_values(size_t samples, SampleShape input) const override;

 private:
  size_t units_;
  Parameter<T> weights_, bias_;
  Dense<T> dense_;
  DenseGradient<T> gradient_;
};

extern template class DenseLayer<float>;
extern template class DenseLayer<double>;

}  // namespace maas
