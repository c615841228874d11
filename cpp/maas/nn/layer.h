// One layer of a network being trained: forward in training mode, and backward. Inference has no layers: it
// is a Program.
#pragma once

#include <cstddef>
#include <cstdint>

#include "maas/nn/batch_matrix.h"
#include "maas/nn/parameter.h"

namespace maas {

// One sample is `positions` rows of a BatchMatrix (1, except between an embedding and a flattening).
struct SampleShape {
  size_t positions = 1, cols = 0;
};

// What a layer gets for one step. A batch of n samples is n × positions rows.
template <class T>
struct LayerPass {
  uint64_t seed = 0, step = 0;  // keys of random numbers; `step` counts the optimizer's steps from 0
  bool accumulate = false;      // gradients of parameters are added to, not written

  BatchMatrix<T> in;  // input; no data in the first layer of a network that starts with indices
  const int64_t* indices = nullptr;  // of an embedding: n × positions, contiguous, checked to be in range
  BatchMatrix<T> out;                // forward writes it, backward reads it
  BatchMatrix<T> out_gradient;       // of the loss; backward may overwrite it
  BatchMatrix<T> in_gradient;        // written by backward; no data: not wanted. Overlaps nothing.
  T* kept = nullptr;                 // kept_values(), from forward to backward of the same batch
  T* work = nullptr;                 // work_values(), for this call only
};

// Both directions allocate nothing, throw nothing of their own, write whole outputs, use the pool inside
// where it pays, and give the same bits on any number of threads and any SIMD target with FMA.
template <class T>
class Layer {
 public:
  virtual ~Layer() = default;
  virtual void forward(const LayerPass<T>& pass) const = 0;
  virtual void backward(const LayerPass<T>& pass) const = 0;

  virtual SampleShape output(SampleShape input) const = 0;
  // For batches of up to so many samples of shape `input`; on 64 bytes each.
  virtual size_t kept_values(size_t /*samples*/, SampleShape /*input*/) const { return 0; }
  virtual size_t work_values(size_t /*samples*/, SampleShape /*input*/) const { return 0; }
};

}  // namespace maas
