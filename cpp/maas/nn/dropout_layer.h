// Dropout: each value is zero with probability `rate`, else times 1 / (1 - rate) (Srivastava et al., 2014).
// The mask is a function of (seed, stream, step, place in the batch) alone and is made again backward.
#pragma once

#include "maas/nn/layer.h"

namespace maas {

template <class T>
class DropoutLayer final : public Layer<T> {
 public:
  // 0 <= rate < 1. `stream` differs between the dropouts of a network.
  DropoutLayer(double rate, uint32_t stream) : rate_(rate), stream_(stream) {}
  void forward(const LayerPass<T>& pass) const override;
  void backward(const LayerPass<T>& pass) const override;
  SampleShape output(SampleShape input) const override { return input; }

 private:
  // Both ways: a value and its gradient meet the same word.
  void apply(const LayerPass<T>& pass, BatchMatrix<T> in, BatchMatrix<T> out) const;

  double rate_;
  uint32_t stream_;
};

extern template class DropoutLayer<float>;
extern template class DropoutLayer<double>;

}  // namespace maas
