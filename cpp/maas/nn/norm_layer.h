// Normalisations with learned scale and shift over the columns, and the fixed one of features.
#pragma once

#include "maas/kernels/norm.h"
#include "maas/nn/layer.h"

namespace maas {

// Over all rows of the batch, column by column (Ioffe and Szegedy, 2015). Forward moves the averages:
// moving = momentum moving + (1 - momentum) batch, with the biased variance, as Keras does; a column that is
// not finite leaves them.
template <class T>
class BatchNormLayer final : public Layer<T> {
 public:
  // Each of `cols` values; scale and shift may be absent. Mean and variance have no gradient.
  struct Parameters {
    Parameter<T> scale, shift, mean, variance;
  };
  BatchNormLayer(size_t cols, Parameters parameters, T epsilon, T momentum)
      : cols_(cols), parameters_(parameters), epsilon_(epsilon), momentum_(momentum) {}
  void forward(const LayerPass<T>& pass) const override;
  void backward(const LayerPass<T>& pass) const override;
  SampleShape output(SampleShape input) const override { return input; }
  size_t kept_values(size_t samples, SampleShape input) const override;
  size_t work_values(size_t samples, SampleShape input) const override;

 private:
  void forward_columns(const LayerPass<T>& pass, size_t begin, size_t end) const;
  void backward_columns(const LayerPass<T>& pass, size_t begin, size_t end) const;

  size_t cols_;
  Parameters parameters_;
  T epsilon_, momentum_;
};

// Over the columns of each row (Ba et al., 2016), as NormFns::layer of kernels/norm.h computes it.
template <class T>
class LayerNormLayer final : public Layer<T> {
 public:
  LayerNormLayer(size_t cols, Parameter<T> scale, Parameter<T> shift, T epsilon)
      : cols_(cols), scale_(scale), shift_(shift), epsilon_(epsilon) {}
  void forward(const LayerPass<T>& pass) const override;
  void backward(const LayerPass<T>& pass) const override;
  SampleShape output(SampleShape input) const override { return input; }
  size_t work_values(size_t samples, SampleShape input) const override;

 private:
  size_t cols_;
  Parameter<T> scale_, shift_;  // each may be absent
  T epsilon_;
};

// (x - offset) / scale or (x - offset) scale, nothing learned: Keras's Normalization. Both vectors are given.
template <class T>
class FeatureScaleLayer final : public Layer<T> {
 public:
  explicit FeatureScaleLayer(FeatureScale<T> by) : by_(by) {}  // its vectors outlive the layer
  void forward(const LayerPass<T>& pass) const override;
  void backward(const LayerPass<T>& pass) const override;
  SampleShape output(SampleShape input) const override { return input; }

 private:
  FeatureScale<T> by_;
};

extern template class BatchNormLayer<float>;
extern template class BatchNormLayer<double>;
extern template class LayerNormLayer<float>;
extern template class LayerNormLayer<double>;
extern template class FeatureScaleLayer<float>;
extern template class FeatureScaleLayer<double>;

}  // namespace maas
