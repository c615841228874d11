#include "maas/nn/dense_layer.h"

namespace maas {

template <class T>
DenseLayer<T>::DenseLayer(size_t inputs, size_t units, Parameter<T> weights, Parameter<T> bias,
                          Activation<T> activation)
    : units_(units),
      weights_(weights),
      bias_(bias),
      dense_(DenseInPlace<T>{weights.value, inputs, units, bias.value, activation}),
      gradient_(inputs, units, activation) {}

template <class T>
void DenseLayer<T>::forward(const LayerPass<T>& pass) const {
  dense_.run_shared(pass.in.data, pass.in.rows, pass.in.ld(), pass.out.data, pass.out.ld());
}

template <class T>
void DenseLayer<T>::backward(const LayerPass<T>& pass) const {
  gradient_.run({.rows = pass.in.rows,
                 .x = pass.in.data,
                 .ldx = pass.in.ld(),
                 .weights = weights_.value,
                 .out = pass.out.data,
                 .delta = pass.out_gradient.data,
                 .ldo = pass.out.ld(),
                 .weight_gradient = weights_.gradient,
                 .bias_gradient = bias_.gradient,
                 .in_gradient = pass.in_gradient.data,
                 .ldi = pass.in_gradient.ld(),
                 .accumulate = pass.accumulate,
                 .work = pass.work});
}

template <class T>
size_t DenseLayer<T>::work_values(size_t samples, SampleShape input) const {
  return gradient_.work_values(samples * input.positions);
}

template class DenseLayer<float>;
template class DenseLayer<double>;

}  // namespace maas
