// Embedding: a row of a table for each index. The gradient adds rows up in the order of the batch.
#pragma once

#include "maas/nn/layer.h"

namespace maas {

template <class T>
class EmbeddingLayer final : public Layer<T> {
 public:
  // table: rows × cols, Layout::kPlain.
  EmbeddingLayer(size_t rows, size_t cols, Parameter<T> table) : rows_(rows), cols_(cols), table_(table) {}
  void forward(const LayerPass<T>& pass) const override;
  void backward(const LayerPass<T>& pass) const override;
  SampleShape output(SampleShape input) const override { return {input.positions, cols_}; }

 private:
  size_t rows_, cols_;
  Parameter<T> table_;
};

extern template class EmbeddingLayer<float>;
extern template class EmbeddingLayer<double>;

}  // namespace maas
